"""`/v1/problems` and `/docs/problems/{slug}`: what can go wrong, why, and what to do about it."""

from html import escape

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse

from shared.problem_catalogue import ProblemEntry, Retry, catalogue
from shared.problem_responses import example_response
from shared.problems import NotFound

router = APIRouter(prefix="/v1/problems", tags=["problems"])
pages = APIRouter(include_in_schema=False)

PROBLEM = {
    "type": "urn:trabecula:problem:too-busy",
    "title": "Too much work in flight",
    "status": 503,
    "cause": "The bounded work in flight is full; `retry_after_s` says when to try again.",
    "cure": "Send it again after the seconds of Retry-After; hand many cases in as a batch.",
    "retry": "after_waiting",
    "documentation_url": "/docs/problems/too-busy",
}
# A page without anything that loads or runs.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
STYLE = "body{font:1rem/1.5 system-ui;max-width:40rem;margin:2rem auto;padding:0 1rem}dt{font-weight:600}"
MAY_RETRY = {
    "after_waiting": "Yes, the same request, as late as the header Retry-After says.",
    "with_change": "No: the same request is answered the same. Change something first.",
}


class ProblemView(BaseModel):
    """A problem that an answer can have."""

    type: str
    title: str
    status: int
    cause: str
    cure: str
    retry: Retry = Field(description="Whether the same request may be sent again")
    documentation_url: str = Field(description="The same as a page, below the installation's address")

    @classmethod
    def of(cls, entry: ProblemEntry) -> "ProblemView":
        """As it travels."""
        problem = entry.problem
        return cls(
            type=problem.type,
            title=problem.title,
            status=problem.status,
            cause=entry.cause,
            cure=entry.cure,
            retry=entry.retry,
            documentation_url=entry.documentation_url,
        )


class ProblemListView(BaseModel):
    """Every problem, by its type."""

    items: list[ProblemView]


@router.get("", summary="List problems", responses=example_response({"items": [PROBLEM]}))
async def list_problems() -> ProblemListView:
    """Every problem that an answer can have: its cause, its cure, and whether the same request may be sent again."""
    return ProblemListView(items=[ProblemView.of(entry) for entry in catalogue()])


@pages.get("/docs/problems/{slug}")
async def problem_page(slug: str) -> HTMLResponse:
    """The page of one problem, which each problem document names."""
    for entry in catalogue():
        if entry.problem.slug == slug:
            return HTMLResponse(_page(entry), headers={"Content-Security-Policy": POLICY})
    raise NotFound("There is no such problem: see /v1/problems.")


def _page(entry: ProblemEntry) -> str:
    problem = entry.problem
    parts = (("Cause", entry.cause), ("Cure", entry.cure), ("Send it again?", MAY_RETRY[entry.retry]))
    told = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in parts)
    head = f'<meta charset="utf-8"><title>{escape(problem.title)}</title><style>{STYLE}</style>'
    told_of = f"<p><code>{problem.type}</code>, HTTP {problem.status.value}</p>"
    return f'<!doctype html><html lang="en">{head}<h1>{escape(problem.title)}</h1>{told_of}<dl>{told}</dl></html>'
