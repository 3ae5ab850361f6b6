"""Schemas and values made to take a validator long: each with the verdict that is right. None: refused as too costly."""


def doubling():
    """Every link asks twice: 2^60 without a memory of answers."""
    defs = {"a%d" % i: {"allOf": [{"$ref": "#/$defs/a%d" % (i + 1), "minimum": 0},
                                  {"$ref": "#/$defs/a%d" % (i + 1), "minimum": 1}]} for i in range(60)}
    defs["a60"] = {"maximum": 5}
    return {"$ref": "#/$defs/a0", "$defs": defs}, [(3, True), (6, False)]


def chain():
    defs = {"a%d" % i: {"$ref": "#/$defs/a%d" % (i + 1), "maximum": 10 + i} for i in range(3000)}
    defs["a3000"] = {"type": "integer"}
    return {"$ref": "#/$defs/a0", "$defs": defs}, [(3, True), (3.5, False)]


def unique():
    numbers = list(range(100000))
    return {"uniqueItems": True}, [(numbers, True), (numbers + [99999], False)]


def enumeration():
    values = ["nhiệm vụ số %d của tỉnh" % i for i in range(20000)]
    return {"items": {"enum": values}}, [(values, True), (values + ["nhiệm vụ số 20001 của tỉnh"], False)]


def properties():
    schema = {"properties": {"p%d" % i: {"type": "integer"} for i in range(10000)}, "additionalProperties": False,
              "required": ["p%d" % i for i in range(10000)]}
    good = {"p%d" % i: i for i in range(9999, -1, -1)}
    return schema, [(good, True), (dict(good, q=1), False), ({"q%d" % i: i for i in range(10000)}, False)]


def multiples():
    return {"items": {"multipleOf": 0.01}}, [([i / 100 for i in range(50000)], True), ([1e300, 0.015], False)]


def patterns():
    schema = {"items": {"anyOf": [{"pattern": p} for p in ("^(a+)+$", "^(\\w+\\s?)*$", "^([a-z]|[a-z][a-z])+$", "(x+x+)+y")]}}
    return schema, [(["a" * 20000 + "!"], False), (["x" * 20000 + "!"], False), (["a" * 20000], True)]


def backtracking():
    """No automaton takes these: they are given up as too costly, never hung on, never taken."""
    schema = {"properties": {"look": {"pattern": "^(?=(a+)+$)b?"}, "many": {"pattern": "^(.*a){12}$"}}}
    return schema, [({"look": "a" * 60 + "!"}, None), ({"many": "a" * 20000 + "!"}, None), ({"many": "a" * 20000}, True)]


def branches():
    value = 1
    for _ in range(60):
        value = {"a": value}
    schema = {"type": ["object", "integer"], "unevaluatedProperties": False, "anyOf": [
        {"properties": {"a": {"$ref": "#"}}, "required": ["b"]}, {"properties": {"a": {"$ref": "#"}}}]}
    return schema, [(value, True)]


def failing_branches():
    value = 1
    for _ in range(60):
        value = {"a": value}
    schema = {"anyOf": [{"properties": {"a": {"$ref": "#"}}, "minimum": 2}, {"properties": {"a": {"$ref": "#"}}, "minimum": 3}]}
    return schema, [(value, False)]


def deep():
    schema = {"minimum": 3}
    for _ in range(50):
        schema = {"allOf": [schema, {"type": "integer"}]}
    return schema, [(3, True), (2, False)]


def text():
    value = "ế" * 340000
    return {"minLength": 340000, "pattern": "^[^a]*$"}, [(value, True), (value[1:], False)]


def names():
    schema = {"patternProperties": {"^[a-z]+%d$" % i: {"type": "integer"} for i in range(50)}, "additionalProperties": False}
    return schema, [({"a" * (i + 1) + str(i % 50): i for i in range(1000)}, True)]


HOSTILE = [("doubling references", doubling), ("3,000 links", chain), ("uniqueItems of 100,000", unique),
           ("enum of 20,000", enumeration), ("10,000 properties", properties), ("multipleOf 0.01", multiples),
           ("catastrophic patterns", patterns), ("a pattern that backtracks", backtracking),
           ("doubling anyOf, unevaluated", branches), ("doubling anyOf that fails", failing_branches),
           ("deep allOf", deep), ("a text of 1 MB", text), ("50 patterns on 1,000 names", names)]
