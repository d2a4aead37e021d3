"""The contender's end of the JSON lines in ../protocol.ts: says hello, then answers requests until stdin ends."""

import json
import sys
import time


def serve(open_contender):
    """open_contender() gives an object with hello, prepare_steps and prepare_epoch; a LookupError says what is missing."""
    replies, sys.stdout = sys.stdout, sys.stderr  # libraries may print

    def say(reply):
        replies.write(json.dumps(reply) + "\n")
        replies.flush()

    try:
        contender = open_contender()
    except (LookupError, ImportError) as error:
        return say({"missing": one_line(error)})
    say(contender.hello)
    work = {}

    def answer(request):
        if request["do"] == "prepareSteps":
            work["steps"] = contender.prepare_steps(request["task"], request["weights"], request["batch"])
            return {}
        if request["do"] == "prepareEpoch":
            start = time.perf_counter()
            work["epoch"] = contender.prepare_epoch(request["task"], request["weights"], request["interactions"])
            return {"onceMilliseconds": 1000 * (time.perf_counter() - start)}
        if request["do"] == "steps":
            return work["steps"](request["count"])
        if request["do"] == "epoch":
            return work["epoch"]()
        raise ValueError(f"there is no request {request['do']}")

    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Exception as error:  # whatever fails is this request's reply
            reply = {"error": f"{type(error).__name__}: {one_line(error)}"}
        say(reply)


def one_line(error):
    return " ".join(str(error.args[0] if error.args else error).split())[:300]
