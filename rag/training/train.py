"""Train the reader. One command, about half an hour on two free CPU cores with bfloat16 units:

    python -m rag.training.train --squad DIR --clapnq DIR --encoder DIR --out reader.pt

``--squad`` holds squad-v1.1.json and squad-v2.0.json, ``--clapnq`` corpus.jsonl and
questions.jsonl, ``--encoder`` the model.safetensors and tokenizer.json of all-MiniLM-L6-v2.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from .batches import NO_LABEL, Batch, batches
from .data import Document, Example, Question, holds, load_clapnq, load_squad, windows_of
from .examples import Recipe, epoch
from .model import Reader, load_encoder
from .retrieve import Retriever, sentence_vectors

ROWS = 16
PEAK = 1e-4  # learning rate of the encoder
HEADS_FASTER = 4.0  # the heads are new: they may learn this much faster
WARM_UP = 0.08  # share of the steps
WEIGHT_DECAY = 0.01
AVERAGE = 0.995  # per step: the weights that ship are this moving average
SUPPORT_WEIGHT = 0.5  # of the sentence loss; span and answerability count 1
MINED = 6  # windows kept per question as hard negatives


def span_loss(logits: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """-log of the probability on any right place: which occurrence was meant may be unknown."""
    logits = logits.float().masked_fill(mask == 0, -1e4)
    right = logits.masked_fill(target == 0, -1e4).logsumexp(-1)
    return (logits.logsumexp(-1) - right).mean()


def loss_of(reader: Reader, batch: Batch) -> dict[str, Tensor]:
    """The three losses of a batch, weighed."""
    start, end, support, answers = reader(batch.ids, batch.types, batch.mask)
    span = span_loss(start, batch.start, batch.mask) + span_loss(end, batch.end, batch.mask)
    judged = batch.support != NO_LABEL
    return {
        "span": span / 2,
        "support": SUPPORT_WEIGHT
        * binary_cross_entropy_with_logits(support.float()[judged], batch.support[judged]),
        "answers": binary_cross_entropy_with_logits(answers.float(), batch.answers),
    }


def mine(
    encoder: Reader, tokenizer: Tokenizer, documents: list[Document], questions: list[Question]
) -> dict[str, list[Example]]:
    """For each question, the best-ranked windows that do not hold its answer."""
    places = [(n, a, b) for n, d in enumerate(documents) for a, b in windows_of(d.sentences)]
    texts = [" ".join(documents[n].sentences[a:b]) for n, a, b in places]
    titled = [f"{documents[n].title}: {t}" for (n, _, _), t in zip(places, texts, strict=True)]
    retriever = Retriever(encoder, tokenizer, titled)
    vectors = sentence_vectors(encoder, tokenizer, [q.text for q in questions])
    out: dict[str, list[Example]] = {}
    for q, vector in zip(questions, vectors, strict=True):
        for n in retriever.top(q.text, vector, MINED + 4):
            document, text = places[n][0], texts[n]
            gold_here = document == q.document and (not q.answers or set(q.gold) & set(range(*places[n][1:])))
            if not gold_here and not any(holds(text, a) for a in q.answers):
                title = documents[document].title
                example = Example(q.text, title, text, (), (), kind="retrieved")
                out.setdefault(q.id, []).append(example)
    return {k: v[:MINED] for k, v in out.items()}


def rate(step: int, steps: int) -> float:
    """Share of the peak learning rate: up over WARM_UP, then down to nothing."""
    warm = max(1, round(WARM_UP * steps))
    return min(step / warm, (steps - step) / max(1, steps - warm))


def forever(
    seed: int,
    recipe: Recipe,
    tokenizer: Tokenizer,
    documents: list[Document],
    questions: list[Question],
    mined: dict[str, list[Example]],
    rows: int,
) -> Iterator[Batch]:
    """Batches of epoch after epoch, each epoch drawn anew."""
    rng = random.Random(seed)
    while True:
        yield from batches(rng, tokenizer, epoch(rng, recipe, documents, questions, mined), rows)


def train(
    args: argparse.Namespace, recipe: Recipe, documents: list[Document], questions: list[Question]
) -> Reader:
    """Train and save; the weights saved are the moving average."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    tokenizer = Tokenizer.from_file(str(args.encoder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    reader = load_encoder(args.encoder / "model.safetensors")
    began = time.time()
    mined = mine(reader, tokenizer, documents, questions) if recipe.retrieved else {}
    print(f"mined {sum(map(len, mined.values()))} windows in {time.time() - began:.0f} s", flush=True)
    if args.start_from:
        reader.load_state_dict(torch.load(args.start_from))
    reader.words.weight.requires_grad_(False)  # 12 million numbers that 11,000 questions cannot move
    heads = [p for n, p in reader.named_parameters() if n.split(".")[0] in ("token_heads", "pool", "answers")]
    rest = [
        p
        for n, p in reader.named_parameters()
        if p.requires_grad and n.split(".")[0] not in ("token_heads", "pool", "answers")
    ]
    optimiser = torch.optim.AdamW(
        [{"params": rest, "lr": args.peak}, {"params": heads, "lr": args.peak * HEADS_FASTER}],
        weight_decay=WEIGHT_DECAY,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda s: rate(s, args.steps))
    trained = rest + heads
    average = [p.detach().clone() for p in trained]
    stream = forever(args.seed, recipe, tokenizer, documents, questions, mined, args.rows)
    sums: dict[str, float] = {}
    began = time.time()
    reader.train()
    for step in range(1, args.steps + 1):
        with torch.autocast("cpu", torch.bfloat16):
            parts = loss_of(reader, next(stream))
        sum(parts.values()).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        keep = min(AVERAGE, step / (step + 10))
        torch._foreach_lerp_(average, [p.detach() for p in trained], 1 - keep)
        for name, value in parts.items():
            sums[name] = sums.get(name, 0.0) + value.item()
        if step % 50 == 0:
            text = "  ".join(f"{k} {v / 50:.3f}" for k, v in sums.items())
            print(f"step {step:5d}  {time.time() - began:6.0f} s  {text}", flush=True)
            sums = {}
        if step % args.save_every == 0 or step == args.steps:
            live = [p.detach().clone() for p in trained]
            torch._foreach_copy_([p.data for p in trained], average)
            torch.save(reader.state_dict(), args.out)
            if step < args.steps:
                torch._foreach_copy_([p.data for p in trained], live)
    minutes = (time.time() - began) / 60
    facts = {
        "seed": args.seed,
        "steps": args.steps,
        "rows": args.rows,
        "peak": args.peak,
        "minutes": round(minutes, 1),
        "recipe": asdict(recipe),
    }
    args.out.with_suffix(".json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return reader


def main() -> None:
    """Read the arguments and the data, train."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("squad", "clapnq", "encoder", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2100)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--peak", type=float, default=PEAK)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-every", type=int, default=300)
    parser.add_argument("--start-from", type=Path, help="continue from these weights")
    parser.add_argument("--recipe", type=json.loads, default={}, help="JSON: fields of Recipe")
    args = parser.parse_args()
    documents: list[Document] = []
    questions: list[Question] = []
    load_squad(args.squad, False, documents, questions)
    load_clapnq(args.clapnq, False, documents, questions)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    train(args, replace(Recipe(), **args.recipe), documents, questions)


if __name__ == "__main__":
    main()
