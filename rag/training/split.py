"""Write what is held out, in the format of the source files, for evaluation elsewhere.

python -m rag.training.split --squad DIR --clapnq DIR --out DIR
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from .data import clapnq_half, held_titles, squad_files


def main() -> None:
    """Read the arguments, write the files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("squad", "clapnq", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    args = parser.parse_args()
    folder = args.out / "clapnq-held"
    folder.mkdir(parents=True, exist_ok=True)
    files = squad_files(args.squad)
    titles = held_titles(*files)
    for name, articles in zip(("1.1", "2.0"), files, strict=True):
        kept = {"version": name, "data": [a for a in articles if a["title"] in titles]}
        out = args.out / f"squad-v{name}-held.json"
        out.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    shutil.copyfile(args.clapnq / "corpus.jsonl", folder / "corpus.jsonl")
    lines = (args.clapnq / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    held = [line for line in lines if clapnq_half(json.loads(line)["id"])]
    (folder / "questions.jsonl").write_text("\n".join(held) + "\n", encoding="utf-8")
    ids = [json.loads(line)["id"] for line in held]
    listed = {"squad_titles": titles, "clapnq_questions": ids}
    (args.out / "held_out.json").write_text(json.dumps(listed, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
