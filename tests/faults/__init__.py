"""What can go wrong outside the code: killed processes, damaged files, full disks, servers that misbehave.

The promises about the index, each with the test that holds it; *heavy* ones run in `make faults` and print
their figures.

=====================================================================  ==================================
a writer killed at any moment loses, mixes and repeats nothing         test_kills; heavy: 230 kills
any damage to a cache is noticed, answered around and mended           test_damage; heavy: every file
a damaged store is an error that says what to do, or right             test_damage
a question in one process, a sync in another: found at once            test_processes
two that sync, five that ask; a second writer is told who writes       test_processes; heavy: longer
like chunks by the thousand hide no other                              test_recall (heavy)
an edited file is the old one or the new one, never both               test_kills: edits
a full disk is said and loses nothing                                  test_disk_full (heavy)
more chunks than Chroma or SQLite take at once                         test_scale (heavy)
a file that changes while it is read is never a mix                    test_changing_files
100,000 files: killed half way, resumed, unchanged, one changed        test_scale: 1,000; heavy: all
indexes of older and newer versions; panics of the libraries           test_older, index/test_vectors
the approximate search finds what comparing all finds                  test_recall, index/test_vectors
whatever breaks off, the next sync equals building from scratch        laws/test_index_crashes
names, links, ignore files, files that change                          index/test_folder, index/test_sync
any bytes under any suffix: the text, or the reason why not            index/test_formats, test_hostile_files
no file costs more than 30 seconds or 512 MB, or another file          test_hostile_files; heavy: large ones
a Chroma server that is stopped, killed, restarted                     index/test_chroma_server
models, keys, injected orders                                          test_model, test_key, test_injection
=====================================================================  ==================================
"""
