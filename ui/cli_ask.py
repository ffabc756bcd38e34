"""`circuit-court ask` and `circuit-court verify`: a question and a claim, from the terminal."""

import click

from ui.cli_output import ProgressLine, json_option, print_json


@click.command()
@click.argument("question")
@click.option("--model", help="The model under study; the configured one when absent.")
@click.option("--conversation", help="Continue this conversation (its id).")
@click.option("--yes", is_flag=True, help="Approve an investigation whatever its plan costs.")
@json_option
def ask(question: str, *, model: str | None, conversation: str | None, yes: bool, as_json: bool) -> None:
    """Ask the assistant a question and read the answer here.

    Every number in the answer points at a stored result, every quotation at a passage of the library. "How does this
    model do IOI?" starts an investigation.
    """
    from agent.answer import Answer
    from ui.answer_text import plain_answer
    from ui.follow import follow, person
    from ui.session import court_with_worker

    line = ProgressLine()
    with court_with_worker(line) as court:
        run_id = court.ask(question, conversation_id=conversation, model=model)
        follow(court, run_id, line, (lambda text: True) if yes else person)
        answers = [event.payload for event in court.events(run_id) if event.kind == "answer"]
        conversation_id = court.run(run_id).conversation_id
    answer = Answer.model_validate(answers[-1])
    if as_json:
        print_json({"run_id": run_id, "conversation_id": conversation_id, **answer.model_dump(mode="json")})
    else:
        click.echo(plain_answer(answer))


@click.command()
@click.argument("claim")
@click.option("--model", help="The model the claim is about; the configured one when absent.")
@click.option("--task", help="The task the claim is about, when the sentence names none.")
@json_option
def verify(claim: str, model: str | None, task: str | None, as_json: bool) -> None:
    """Put one claim on trial and print its verdict.

    CLAIM is a sentence such as "head 20.0 is necessary for IOI". Its predictions are registered before they are
    tested; a verdict that the ledger already holds is printed at once. The exit status is 0 whatever the verdict.
    """
    from ui.claim_json import claim_json
    from ui.claim_text import claim_lines
    from ui.follow import follow
    from ui.session import court_with_worker, open_court

    court = open_court()
    card = court.stored_verdict(claim, model=model, task=task)
    if card is None:
        line = ProgressLine()
        with court_with_worker(line, court) as court:
            run = follow(court, court.verify(claim, model=model, task=task), line)
        card = court.claim((run.outcome or {})["claim_id"])
    if as_json:
        print_json(claim_json(card))
    else:
        click.echo("\n".join(claim_lines(card)))
