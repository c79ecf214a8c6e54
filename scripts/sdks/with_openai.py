"""OpenAI's own client for Python against the gateway: chat completions, Responses, embeddings, errors."""

import json

import openai
from checks import BASE_URL, EMBEDDER, EXPECTED_CALL, OTHER_TOKEN, ROUTED, TOKEN, WEATHER, WORDS
from checks import check, equal, must, picture, refused, run, told_why
from pydantic import BaseModel

client = openai.OpenAI(base_url=f"{BASE_URL}/v1", api_key=TOKEN, max_retries=0, timeout=30)
chat = client.chat.completions
TOOL = {"type": "function", "function": {"name": "weather", "description": "Tells the weather", "parameters": WEATHER}}
FLAT_TOOL = {"type": "function", "name": "weather", "description": "Tells the weather", "parameters": WEATHER, "strict": True}


class Weather(BaseModel):
    city: str
    days: int


def user(content):
    return [{"role": "user", "content": content}]


# ---- models ----


@check("models are listed, with the provider's name before theirs")
def _():
    ids = {model.id for model in client.models.list()}
    must("scripted/echo" in ids, f"scripted/echo is not among {sorted(ids)[:40]}")


@check("one model can be looked at")
def _():
    equal(client.models.retrieve("scripted/echo").id, "scripted/echo")


# ---- chat completions ----


@check("a chat is answered, with usage and the model that ran")
def _():
    answer = chat.create(model="scripted/echo", messages=user(WORDS))
    choice = answer.choices[0]
    equal((choice.message.role, choice.message.content, choice.finish_reason), ("assistant", WORDS, "stop"))
    equal(answer.model, "scripted/echo")
    equal(answer.object, "chat.completion")
    usage = answer.usage
    equal((usage.completion_tokens, usage.total_tokens), (4, usage.prompt_tokens + 4))


@check("a system prompt, a developer's and earlier messages are taken")
def _():
    messages = [{"role": "system", "content": "Be short."}, {"role": "developer", "content": "Be kind."}, *user("Hello")]
    messages += [{"role": "assistant", "content": "Hello"}, *user("Good bye")]
    equal(chat.create(model="scripted/echo", messages=messages).choices[0].message.content, "Good bye")


@check("a limit of tokens and a stop sequence end an answer, and say so")
def _():
    short = chat.create(model="scripted/echo", messages=user(WORDS), max_tokens=2).choices[0]
    equal((short.message.content.strip(), short.finish_reason), ("one two", "length"))
    newer = chat.create(model="scripted/echo", messages=user(WORDS), max_completion_tokens=2).choices[0]
    equal(newer.finish_reason, "length")
    stopped = chat.create(model="scripted/echo", messages=user(WORDS), stop=["three"]).choices[0]
    equal((stopped.message.content.strip(), stopped.finish_reason), ("one two", "stop"))


@check("a chat is streamed in pieces, with usage at its end")
def _():
    chunks = list(chat.create(model="scripted/echo", messages=user(WORDS), stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    equal("".join(pieces), WORDS)
    must(len(pieces) > 1, "it came in one piece")
    reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    equal([reason for reason in reasons if reason], ["stop"])
    equal(len({chunk.id for chunk in chunks}), 1)
    last = chunks[-1]
    must(last.usage and not last.choices, f"the last chunk is {last}")
    equal(last.usage.completion_tokens, 4)


@check("usage is not streamed where nobody asked for it")
def _():
    chunks = list(chat.create(model="scripted/echo", messages=user(WORDS), stream=True))
    must(all(chunk.usage is None for chunk in chunks), "it is")
    must(all(chunk.choices for chunk in chunks), "there is a chunk without a choice")


@check("the client's streaming helper puts an answer together")
def _():
    with chat.stream(model="scripted/echo", messages=user(WORDS)) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        final = stream.get_final_completion()
    equal(("".join(deltas), final.choices[0].message.content), (WORDS, WORDS))


@check("a tool is called, its result goes back, and the answer tells it")
def _():
    messages = user("How is the weather?")
    first = chat.create(model="scripted/tool", messages=messages, tools=[TOOL]).choices[0]
    equal(first.finish_reason, "tool_calls")
    call = first.message.tool_calls[0]
    equal((call.type, call.function.name, json.loads(call.function.arguments)), ("function", "weather", EXPECTED_CALL))
    messages += [first.message, {"role": "tool", "tool_call_id": call.id, "content": "It rains."}]
    second = chat.create(model="scripted/tool", messages=messages, tools=[TOOL]).choices[0]
    equal((second.message.content, second.finish_reason), ("The tool answered: It rains.", "stop"))


@check("a tool call is streamed, and its pieces are JSON together")
def _():
    with chat.stream(model="scripted/tool", messages=user("How is the weather?"), tools=[TOOL]) as stream:
        final = stream.get_final_completion()
    choice = final.choices[0]
    equal(choice.finish_reason, "tool_calls")
    equal(json.loads(choice.message.tool_calls[0].function.arguments), EXPECTED_CALL)


@check("tools that must not be called are not")
def _():
    answer = chat.create(model="scripted/tool", messages=user("Hello"), tools=[TOOL], tool_choice="none").choices[0]
    equal((answer.message.tool_calls or [], answer.finish_reason), ([], "stop"))


@check("an answer by a JSON schema is one")
def _():
    answer = chat.parse(model="scripted/structured", messages=user("The weather"), response_format=Weather)
    must(isinstance(answer.choices[0].message.parsed, Weather), f"{answer.choices[0].message}")
    form = {"type": "json_schema", "json_schema": {"name": "weather", "schema": WEATHER, "strict": True}}
    answer = chat.create(model="scripted/structured", messages=user("The weather"), response_format=form)
    equal(json.loads(answer.choices[0].message.content), EXPECTED_CALL)
    answer = chat.create(model="scripted/structured", messages=user("JSON"), response_format={"type": "json_object"})
    must(isinstance(json.loads(answer.choices[0].message.content), dict), "no object")


@check("a picture reaches the model")
def _():
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture()}"}}
    answer = chat.create(model="scripted/echo", messages=user([{"type": "text", "text": WORDS}, image]))
    equal(answer.choices[0].message.content, WORDS)
    # A scripted model counts a picture as a hundred words.
    must(answer.usage.prompt_tokens >= 100, f"usage is {answer.usage}")


@check("`auto` answers, and the headers say which rule, why, and what it cost")
def _():
    raw = chat.with_raw_response.create(model="auto", messages=user("Hello, how are you?"))
    answer = raw.parse()
    equal(answer.choices[0].message.content, "Hello, how are you?")
    equal(answer.model, ROUTED)
    told_why(dict(raw.headers))


@check("the headers stand before a stream as well")
def _():
    raw = chat.with_raw_response.create(model="auto", messages=user("Hello"), stream=True)
    told_why(dict(raw.headers), cost="x-mosaic-expected-cost-micros")
    must(list(raw.parse()), "no chunks")


@check("a stream that is left in the middle is over, and the next one is served")
def _():
    stream = chat.create(model="scripted/slow-100", messages=user(WORDS * 200), stream=True)
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            break
    stream.close()
    equal(chat.create(model="scripted/echo", messages=user(WORDS)).choices[0].message.content, WORDS)


# ---- Responses ----


@check("Responses: one is made, with usage")
def _():
    answer = client.responses.create(model="scripted/echo", input=WORDS, instructions="Be short.", store=False)
    equal((answer.output_text, answer.status, answer.object), (WORDS, "completed", "response"))
    equal(answer.model, "scripted/echo")
    usage = answer.usage
    equal((usage.output_tokens, usage.total_tokens), (4, usage.input_tokens + 4))


@check("Responses: one is streamed, its events numbered and in order")
def _():
    events = list(client.responses.create(model="scripted/echo", input=WORDS, stream=True))
    kinds = [event.type for event in events]
    equal((kinds[0], kinds[-1]), ("response.created", "response.completed"))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    equal("".join(deltas), WORDS)
    numbers = [event.sequence_number for event in events]
    equal(numbers, sorted(set(numbers)))
    equal(events[-1].response.output_text, WORDS)
    equal(events[-1].response.usage.output_tokens, 4)


@check("Responses: the client's streaming helper puts one together")
def _():
    with client.responses.stream(model="scripted/echo", input=WORDS) as stream:
        for _event in stream:
            pass
        equal(stream.get_final_response().output_text, WORDS)


@check("Responses: a function is called, its result goes back, and the answer tells it")
def _():
    asked = user("How is the weather?")
    first = client.responses.create(model="scripted/tool", input=asked, tools=[FLAT_TOOL])
    call = next(item for item in first.output if item.type == "function_call")
    equal((call.name, json.loads(call.arguments), call.status), ("weather", EXPECTED_CALL, "completed"))
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "It rains."}
    second = client.responses.create(model="scripted/tool", input=[*asked, *first.output, result], tools=[FLAT_TOOL])
    equal(second.output_text, "The tool answered: It rains.")


@check("Responses: a function call is streamed")
def _():
    with client.responses.stream(model="scripted/tool", input="How is the weather?", tools=[FLAT_TOOL]) as stream:
        kinds = [event.type for event in stream]
        call = next(item for item in stream.get_final_response().output if item.type == "function_call")
    must("response.function_call_arguments.done" in kinds, f"the events are {kinds}")
    equal(json.loads(call.arguments), EXPECTED_CALL)


@check("Responses: an answer by a JSON schema is one")
def _():
    answer = client.responses.parse(model="scripted/structured", input="The weather", text_format=Weather)
    must(isinstance(answer.output_parsed, Weather), f"{answer.output}")


@check("Responses: a picture reaches the model")
def _():
    image = {"type": "input_image", "image_url": f"data:image/png;base64,{picture()}", "detail": "auto"}
    answer = client.responses.create(model="scripted/echo", input=user([{"type": "input_text", "text": WORDS}, image]))
    must(answer.usage.input_tokens >= 100, f"usage is {answer.usage}")


@check("Responses: what the model thinks is an item of its own")
def _():
    answer = client.responses.create(model="scripted/thinks", input=WORDS, reasoning={"effort": "medium", "summary": "auto"})
    kinds = [item.type for item in answer.output]
    equal((kinds, answer.output_text), (["reasoning", "message"], WORDS))
    must(answer.usage.output_tokens_details.reasoning_tokens > 0, f"usage is {answer.usage}")


# ---- embeddings ----


@check("texts become vectors, in their order")
def _():
    answer = client.embeddings.create(model=EMBEDDER, input=["one", "three"])
    equal([item.embedding for item in answer.data], [[3.0, 0.25, -0.5], [5.0, 0.25, -0.5]])
    equal([item.index for item in answer.data], [0, 1])
    must(answer.usage.prompt_tokens > 0, f"usage is {answer.usage}")
    floats = client.embeddings.create(model=EMBEDDER, input="one", encoding_format="float")
    equal(floats.data[0].embedding, [3.0, 0.25, -0.5])


# ---- errors ----


@check("a wrong model is NotFoundError, with the nearest names")
def _():
    refusal = refused(openai.NotFoundError, lambda: chat.create(model="scripted/ecko", messages=user("Hello")))
    must("echo" in refusal.message, f"it says {refusal.message}")
    refused(openai.NotFoundError, lambda: chat.create(model="nobody/knows", messages=user("Hello")))


@check("a wrong token is AuthenticationError, and one without the right is PermissionDeniedError")
def _():
    wrong = client.with_options(api_key="sk-wrong")
    refused(openai.AuthenticationError, lambda: wrong.chat.completions.create(model="scripted/echo", messages=user("Hello")))
    refused(openai.AuthenticationError, lambda: list(wrong.models.list()))
    if OTHER_TOKEN:
        other = client.with_options(api_key=OTHER_TOKEN)
        refused(openai.PermissionDeniedError, lambda: other.chat.completions.create(model="scripted/echo", messages=user("Hi")))


@check("too many calls are RateLimitError with Retry-After")
def _():
    refusal = refused(openai.RateLimitError, lambda: chat.create(model="scripted/rate-limited-2", messages=user("Hello")))
    # What is left of two seconds: somebody else may have been told before.
    must(refusal.response.headers.get("retry-after") in ("1", "2"), f"{refusal.response.headers}")


@check("what is wrong with a request is BadRequestError")
def _():
    refused(openai.BadRequestError, lambda: chat.create(model="scripted/echo", messages=[]))
    refused(openai.BadRequestError, lambda: chat.create(model="scripted/context-too-long", messages=user("Hello")))
    orphan = [*user("Hello"), {"role": "tool", "tool_call_id": "nobody", "content": "x"}]
    refused(openai.BadRequestError, lambda: chat.create(model="scripted/echo", messages=orphan))


@check("an overloaded provider is InternalServerError")
def _():
    refused(openai.InternalServerError, lambda: chat.create(model="scripted/overloaded", messages=user("Hello")))


@check("an answer that is cut off ends with an error, never as if it were whole")
def _():
    seen = []

    def read():
        for chunk in chat.create(model="scripted/cut-after-3", messages=user(WORDS), stream=True):
            seen.extend(choice for choice in chunk.choices)

    refused(openai.APIError, read)
    equal("".join(choice.delta.content or "" for choice in seen).split(), ["one", "two", "three"])
    must(all(choice.finish_reason is None for choice in seen), "it ended as if it were whole")
    refused(openai.APIError, lambda: chat.create(model="scripted/cut-after-3", messages=user(WORDS)))


run()
