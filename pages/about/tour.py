"""The tour for a student: a task, the inner and the outer step as they move, and what comes of it in Table 2."""

import streamlit as st

from metaiqa_core.results import conclusions, published, summaries
from metaiqa_core.training.toy import ToyIteration, ToySettings, meta_train_toy
from pages.about import toy_chart
from pages.shared.distorted_levels import levels
from pages.shared.plain import plain
from pages.shared.terms import TERMS

_TASKS = (("kadid10k:GB", "Gaussian blur"), ("kadid10k:JPEG", "JPEG compression"))
_SUPPORT = (1, 3, 5)
"""Levels that the picture of a task puts into its support set; the others are its query set."""


def show() -> None:
    """Show the three parts that follow the way from a photo to its score."""
    st.subheader("How it learns: a task", anchor=False)
    st.write(
        "People learn to judge a new kind of damage from a few examples, because they know many other kinds. MetaIQA "
        "learns so too: one kind of damage is one **task**. Its images fall into a **support set**, which is learned "
        "from first, and a **query set**, which is learned from next: so the model learns what is true of the damage "
        "rather than of single photos."
    )
    for key, name in _TASKS:
        _task(key, name)
    st.subheader("How it learns: the inner and the outer step", anchor=False)
    _steps()
    st.subheader("What comes of it: Table 2", anchor=False)
    _result()


def _task(key: str, name: str) -> None:
    pictures, _ = levels(key)
    support = [picture for level, picture in enumerate(pictures, start=1) if level in _SUPPORT]
    query = [picture for level, picture in enumerate(pictures, start=1) if level not in _SUPPORT]
    st.markdown(f"**Task: {name}**")
    with st.container(horizontal=True, gap="medium"):
        for title, term, part in (("Support", "support set", support), ("Query", "query set", query)):
            with st.container(border=True, width="content"):
                st.markdown(f"{title} set", help=TERMS[term])
                with st.container(horizontal=True, gap="small"):
                    for picture in part:
                        st.image(picture, width=92, output_format="PNG", alt=f"{name}, an image of the {term}")


@st.fragment
def _steps() -> None:
    """Draw Algorithm 1 on two weights; a change of a setting computes it anew, here and now."""
    st.write(
        "A real network has millions of weights; here it has two, so that they can be drawn. For each task, S steps on "
        "its support set and S on its query set lead from the common **prior** to weights of the task's own. Then the "
        "prior itself takes a step towards the mean of these. After a few rounds it lies near all tasks: a few "
        "steps are enough to learn a new one."
    )
    picture, controls = st.columns([2, 1], gap="large")
    with controls:
        settings = ToySettings(
            inner_steps=st.slider("Inner steps, S", 1, 10, 6, key="toy_steps", help=TERMS["S"]),
            tasks=st.slider("Tasks in a mini-batch, k", 1, 6, 3, key="toy_tasks", help=TERMS["k"]),
            inner_rate=st.slider(
                "Inner rate, α", 0.01, 0.15, 0.05, 0.01, key="toy_inner", help="Length of one inner step (Eqs. 4-7)."
            ),
            outer_rate=st.slider(
                "Outer rate, β",
                0.05,
                1.5,
                0.7,
                0.05,
                key="toy_outer",
                help="Share of the way to the tasks' mean that the prior goes (Eq. 8).",
            ),
        )
        iterations = _learned(settings)
        every = toy_chart.moments(iterations)
        moment = st.slider(
            "Moment",
            1,
            len(every),
            len(every),
            key=f"toy_moment_{len(every)}",
            help="Move through the steps with the arrow keys; Play in the picture runs on from here.",
        )
        st.markdown(plain(toy_chart.in_words(iterations, every[moment - 1])))
        st.markdown(f"**{plain(_conclusion(iterations))}**")
        st.caption(
            "Computed now by the program's own inner loop and Adam. Each image is a point with two features, 24 to a "
            "task; the weights that reproduce people's scores differ from task to task, around the grey ring."
        )
    with picture:
        st.plotly_chart(
            toy_chart.figure(iterations, moment - 1),
            key="toy",
            config={"displaylogo": False, "displayModeBar": False},
            alt=f"Two weights as a plane, with the steps of Algorithm 1. {_conclusion(iterations)}",
        )


@st.cache_data(max_entries=64, show_spinner=False)
def _learned(settings: ToySettings) -> list[ToyIteration]:
    return meta_train_toy(settings)


def _conclusion(iterations: list[ToyIteration]) -> str:
    first, last = iterations[0].new_task_loss, iterations[-1].new_task_loss
    if last < first / 2:
        return f"A new task ends with {first / last:.0f} times less error after S steps than it did from the start."
    if last < first:
        return f"The error on a new task has fallen from {first:.3f} to {last:.3f}: larger rates get further."
    return f"The error on a new task has not fallen ({first:.3f} to {last:.3f}): these rates jump over the goal."


def _result() -> None:
    """Say what the paper measured with this, from its own table."""
    for database in ("TID2013", "KADID-10k"):
        records = [record for record in published.leave_one_distortion_out() if record.database == database]
        rows = [entry.abbreviation for entry in published.distortion_types(database)]
        table = summaries.by_type(records, rows)
        average = summaries.averages(table)["MetaIQA"]
        sentence = f"{conclusions.where_best(table, 'MetaIQA')} Its average SROCC is {average:.3f}."
        st.markdown(f"**{database}**: {plain(sentence)}")
    st.caption(
        "Each time, one distortion type is kept away from training altogether and judged afterwards "
        "(reported in the paper, Table 2)."
    )
    if st.button("See Table 2 type by type", key="tour_to_table"):
        st.switch_page("pages/leave_one_distortion_out.py")
