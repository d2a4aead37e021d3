"""The contender's end of the JSON lines in ../protocol.ts: says hello, then answers requests until stdin ends."""

import json
import sys


def serve(open_contender):
    """open_contender() gives an object with hello and requests, a function for each; its LookupError says what is missing."""
    replies, sys.stdout = sys.stdout, sys.stderr  # libraries may print

    def say(reply):
        replies.write(json.dumps(reply) + "\n")
        replies.flush()

    try:
        contender = open_contender()
    except (LookupError, ImportError) as error:
        return say({"missing": one_line(error)})
    say(contender.hello)
    for line in sys.stdin:
        try:
            request = json.loads(line)
            reply = contender.requests[request["do"]](request)
        except Exception as error:  # whatever fails is this request's reply
            reply = {"error": f"{type(error).__name__}: {one_line(error)}"}
        say(reply)


def one_line(error):
    return " ".join(str(error.args[0] if error.args else error).split())[:300]
