"""Score an assistant's answers to a file of questions: figures, JSON and an HTML report."""

from rag.evaluation.figures import Figure, measure
from rag.evaluation.judging import Outcome, Texts, ask_all, judge
from rag.evaluation.limits import Limit, read_limits, shortfalls
from rag.evaluation.questions import Case, Questions, load_questions
from rag.evaluation.report import html_report
from rag.evaluation.results import Evaluation, evaluate

__all__ = [
    # Ask and score
    "Evaluation",
    "evaluate",
    "html_report",
    # The questions file
    "Case",
    "Questions",
    "load_questions",
    # One question
    "Outcome",
    "Texts",
    "ask_all",
    "judge",
    # All of them
    "Figure",
    "Limit",
    "measure",
    "read_limits",
    "shortfalls",
]
