"""Anthropic's own client for Python against the gateway: messages, streams, tools, thinking, errors."""

import json

import anthropic
from checks import BASE_URL, EXPECTED_CALL, OTHER_TOKEN, ROUTED, TOKEN, WEATHER, WORDS
from checks import check, equal, must, picture, refused, run, told_why
from pydantic import BaseModel

client = anthropic.Anthropic(base_url=BASE_URL, api_key=TOKEN, max_retries=0, timeout=30)
TOOL = {"name": "weather", "description": "Tells the weather", "input_schema": WEATHER}
THINKING = {"type": "enabled", "budget_tokens": 1024}


class Weather(BaseModel):
    city: str
    days: int


def user(content):
    return [{"role": "user", "content": content}]


def create(model, content, **more):
    messages = content if isinstance(content, list) and content and "role" in content[0] else user(content)
    return client.messages.create(**{"model": model, "messages": messages, "max_tokens": 4096, **more})


def text(message):
    return "".join(block.text for block in message.content if block.type == "text")


@check("models are listed, with the provider's name before theirs")
def _():
    ids = {model.id for model in client.models.list(limit=1000)}
    must("scripted/echo" in ids, f"scripted/echo is not among {sorted(ids)[:40]}")


@check("a message is answered, with usage and the model that ran")
def _():
    answer = create("scripted/echo", WORDS, system="Be short.")
    equal((answer.type, answer.role, answer.stop_reason, answer.model), ("message", "assistant", "end_turn", "scripted/echo"))
    equal(text(answer), WORDS)
    equal(answer.usage.output_tokens, 4)
    must(answer.usage.input_tokens > 0, f"usage is {answer.usage}")


@check("a token as Bearer is as good as one in x-api-key")
def _():
    bearer = anthropic.Anthropic(base_url=BASE_URL, api_key=None, auth_token=TOKEN, max_retries=0)
    answer = bearer.messages.create(model="scripted/echo", messages=user(WORDS), max_tokens=100)
    equal(text(answer), WORDS)


@check("a system prompt in blocks with marks for the cache is taken")
def _():
    system = [{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}}]
    content = [{"type": "text", "text": WORDS, "cache_control": {"type": "ephemeral"}}]
    equal(text(create("scripted/echo", content, system=system)), WORDS)


@check("a limit of tokens and a stop sequence end an answer, and say so")
def _():
    short = create("scripted/echo", WORDS, max_tokens=2)
    equal((text(short).strip(), short.stop_reason), ("one two", "max_tokens"))
    stopped = create("scripted/echo", WORDS, stop_sequences=["three"])
    equal((text(stopped).strip(), stopped.stop_reason, stopped.stop_sequence), ("one two", "stop_sequence", "three"))


@check("a message is streamed as the events that the client knows")
def _():
    events = list(create("scripted/echo", WORDS, stream=True))
    kinds = [event.type for event in events if event.type != "ping"]
    equal((kinds[0], kinds[-2:]), ("message_start", ["message_delta", "message_stop"]))
    deltas = [event.delta.text for event in events if event.type == "content_block_delta"]
    equal("".join(deltas), WORDS)
    must(len(deltas) > 1, "it came in one piece")
    end = next(event for event in events if event.type == "message_delta")
    equal((end.delta.stop_reason, end.usage.output_tokens), ("end_turn", 4))


@check("the client's streaming helper puts a message together")
def _():
    with client.messages.stream(model="scripted/echo", messages=user(WORDS), max_tokens=100) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    equal(("".join(pieces), text(final), final.stop_reason), (WORDS, WORDS, "end_turn"))
    equal(final.usage.output_tokens, 4)


@check("a tool is called, its result goes back, and the answer tells it")
def _():
    messages = user("How is the weather?")
    first = create("scripted/tool", messages, tools=[TOOL])
    equal(first.stop_reason, "tool_use")
    call = next(block for block in first.content if block.type == "tool_use")
    equal((call.name, call.input), ("weather", EXPECTED_CALL))
    result = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "It rains."}]}
    messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    second = create("scripted/tool", messages, tools=[TOOL])
    equal((text(second), second.stop_reason), ("The tool answered: It rains.", "end_turn"))


@check("a tool call is streamed, and its pieces are JSON together")
def _():
    with client.messages.stream(
        model="scripted/tool", messages=user("How is the weather?"), max_tokens=100, tools=[TOOL]
    ) as stream:
        pieces = [event.partial_json for event in stream if event.type == "input_json"]
        final = stream.get_final_message()
    call = next(block for block in final.content if block.type == "tool_use")
    equal((call.input, json.loads("".join(pieces))), (EXPECTED_CALL, EXPECTED_CALL))
    equal(final.stop_reason, "tool_use")


@check("what the model thinks is a signed block, and comes back unchanged")
def _():
    first = create("scripted/thinks", WORDS, thinking=THINKING)
    equal([block.type for block in first.content], ["thinking", "text"])
    thought = first.content[0]
    must(WORDS in thought.thinking and thought.signature, f"{thought}")
    messages = [*user(WORDS), {"role": "assistant", "content": first.content}, *user("And now?")]
    equal(text(create("scripted/thinks", messages, thinking=THINKING)), "And now?")
    changed = [{**thought.model_dump(), "thinking": "Something else."}, *first.content[1:]]
    messages[1] = {"role": "assistant", "content": changed}
    refused(anthropic.BadRequestError, lambda: create("scripted/thinks", messages, thinking=THINKING))


@check("what the model thinks is streamed with its signature")
def _():
    with client.messages.stream(
        model="scripted/thinks", messages=user(WORDS), max_tokens=4096, thinking=THINKING
    ) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_message()
    must({"thinking", "signature", "text"} <= kinds, f"the events are {kinds}")
    must(final.content[0].signature, f"{final.content[0]}")


@check("an answer by a JSON schema is one")
def _():
    answer = create("scripted/structured", "The weather", output_config={"format": {"type": "json_schema", "schema": WEATHER}})
    equal(json.loads(text(answer)), EXPECTED_CALL)
    parsed = client.messages.parse(
        model="scripted/structured", messages=user("The weather"), max_tokens=1000, output_format=Weather
    )
    must(isinstance(parsed.parsed_output, Weather), f"{parsed.content}")


@check("a picture reaches the model")
def _():
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture()}}
    answer = create("scripted/echo", [image, {"type": "text", "text": WORDS}])
    equal(text(answer), WORDS)
    # A scripted model counts a picture as a hundred words.
    must(answer.usage.input_tokens >= 100, f"usage is {answer.usage}")


@check("`auto` answers, and the headers say which rule, why, and what it cost")
def _():
    raw = client.messages.with_raw_response.create(model="auto", messages=user("Hello, how are you?"), max_tokens=100)
    answer = raw.parse()
    equal((text(answer), answer.model), ("Hello, how are you?", ROUTED))
    told_why(dict(raw.headers))


@check("a stream that is left in the middle is over, and the next one is served")
def _():
    with client.messages.stream(model="scripted/slow-100", messages=user(WORDS * 200), max_tokens=4096) as stream:
        next(iter(stream.text_stream))
    equal(text(create("scripted/echo", WORDS)), WORDS)


@check("tokens are counted without a call")
def _():
    counted = client.messages.count_tokens(model="scripted/echo", messages=user(WORDS))
    must(counted.input_tokens > 0, f"{counted}")


@check("a wrong model is NotFoundError, with the nearest names")
def _():
    refusal = refused(anthropic.NotFoundError, lambda: create("scripted/ecko", "Hello"))
    must("echo" in refusal.message, f"it says {refusal.message}")
    equal(refusal.body["error"]["type"], "not_found_error")


@check("a wrong token is AuthenticationError, and one without the right is PermissionDeniedError")
def _():
    hello = {"model": "scripted/echo", "messages": user("Hello"), "max_tokens": 10}
    refused(anthropic.AuthenticationError, lambda: client.with_options(api_key="sk-wrong").messages.create(**hello))
    if OTHER_TOKEN:
        other = client.with_options(api_key=OTHER_TOKEN)
        refused(anthropic.PermissionDeniedError, lambda: other.messages.create(**hello))


@check("too many calls are RateLimitError with Retry-After")
def _():
    refusal = refused(anthropic.RateLimitError, lambda: create("scripted/rate-limited-2", "Hello"))
    # What is left of two seconds: somebody else may have been told before.
    must(refusal.response.headers.get("retry-after") in ("1", "2"), f"{refusal.response.headers}")


@check("an overloaded provider is what the client knows as that")
def _():
    refused((anthropic.InternalServerError, anthropic.OverloadedError), lambda: create("scripted/overloaded", "Hello"))


@check("what is wrong with a request is BadRequestError")
def _():
    refused(anthropic.BadRequestError, lambda: client.messages.create(model="scripted/echo", messages=[], max_tokens=10))
    refused(anthropic.BadRequestError, lambda: create("scripted/context-too-long", "Hello"))


@check("an answer that is cut off ends with an error, never as if it were whole")
def _():
    seen = []

    def read():
        for event in create("scripted/cut-after-3", WORDS, stream=True):
            seen.append(event)

    refused(anthropic.APIError, read)
    words = "".join(event.delta.text for event in seen if event.type == "content_block_delta")
    equal(words.split(), ["one", "two", "three"])
    must(all(event.type != "message_stop" for event in seen), "it ended as if it were whole")
    refused(anthropic.APIError, lambda: create("scripted/cut-after-3", WORDS))


run()
