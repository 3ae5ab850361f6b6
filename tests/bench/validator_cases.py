"""Schemas of many kinds with values for each: most good, some not, as a hub meets them."""
import random
import string

WORDS = ("nhiệm vụ chuyển đổi số hồ sơ trực tuyến cán bộ phường xã tỷ lệ giải ngân kế hoạch báo cáo đơn vị "
         "hoàn thành chậm tiến độ sáng kiến khoa học công nghệ dữ liệu").split()


def words(n):
    return " ".join(random.choice(WORDS) for _ in range(n))


def ident(n=8):
    return "".join(random.choice(string.ascii_lowercase) for _ in range(n))


def spoil(values, how, share=0.1):
    """Makes every tenth value or so wrong."""
    for i in range(0, len(values), max(1, int(1 / share))):
        how(values[i])
    return values


def case(name, schema, values):
    return {"id": name, "schema": schema, "instances": values}


def date():
    return "2026-%02d-%02d" % (random.randint(1, 12), random.randint(1, 28))


def obj(properties, required=None, **more):
    s = {"type": "object", "properties": properties}
    if required is not None:
        s["required"] = required
    s.update(more)
    return s


S, I, N, B = {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}


def address():
    schema = obj({"street": {"type": "string", "maxLength": 80}, "ward": {"type": "string", "minLength": 2},
                  "province": {"type": "string"}, "postcode": {"type": "string", "pattern": "^[0-9]{5,6}$"},
                  "country": {"enum": ["VN", "LA", "KH"]}}, ["street", "ward", "province"], additionalProperties=False)
    v = [{"street": words(4), "ward": words(2), "province": words(2), "postcode": "630000", "country": "VN"} for _ in range(100)]
    return case("address", schema, spoil(v, lambda x: x.update(postcode="63")))


def product():
    schema = obj({"id": {"type": "integer", "minimum": 1}, "name": {"type": "string", "minLength": 1, "maxLength": 200},
                  "price": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.01},
                  "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
                  "size": obj({"length": N, "width": N, "height": N}, ["length", "width", "height"])},
                 ["id", "name", "price"])
    v = [{"id": i + 1, "name": words(6), "price": random.randint(1, 99999) / 4, "tags": [ident() for _ in range(5)],
          "size": {"length": 1.5, "width": 2, "height": 3.25}} for i in range(100)]
    return case("product", schema, spoil(v, lambda x: x.pop("name")))


def person():
    schema = obj({"name": {"type": "string", "minLength": 2, "maxLength": 100}, "email": {"type": "string", "format": "email"},
                  "born": {"type": "string", "format": "date"}, "id": {"type": "string", "format": "uuid"},
                  "site": {"type": "string", "format": "uri"}, "active": B}, ["name", "email", "id"])
    v = [{"name": words(3), "email": ident() + "@daklak.gov.vn", "born": date(), "id": "0b1e6f2a-4c1d-4e57-9a53-2f6f0c2d9b11",
          "site": "https://daklak.gov.vn/" + ident(), "active": True} for _ in range(100)]
    return case("person with formats", schema, spoil(v, lambda x: x.update(email="nobody")))


def manifest():
    version = {"type": "string", "pattern": "^[~^]?[0-9]+\\.[0-9]+\\.[0-9]+$"}
    schema = obj({"name": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"}, "version": version,
                  "scripts": {"type": "object", "additionalProperties": S},
                  "dependencies": {"type": "object", "patternProperties": {"^[a-z@/-]+$": version}, "additionalProperties": False},
                  "private": B, "files": {"type": "array", "items": S}}, ["name", "version"],
                 patternProperties={"^x-": True}, additionalProperties=False)
    v = [{"name": ident(), "version": "1.2.3", "scripts": {ident(5): words(3) for _ in range(4)},
          "dependencies": {ident(9): "^4.17.%d" % i for i in range(20)}, "private": True, "x-note": 1, "files": ["a", "b"]}
         for _ in range(50)]
    return case("manifest with patterns", schema, spoil(v, lambda x: x.update(other=1)))


def order():
    line = obj({"sku": {"type": "string", "pattern": "^SKU-[0-9]{6}$"}, "quantity": {"type": "integer", "minimum": 1, "maximum": 999},
                "price": {"type": "number", "minimum": 0}, "note": {"type": "string", "maxLength": 120}},
               ["sku", "quantity", "price"], additionalProperties=False)
    schema = obj({"order": {"type": "string", "format": "uuid"}, "placed": {"type": "string", "format": "date-time"},
                  "customer": obj({"name": S, "phone": {"type": "string", "pattern": "^\\+?[0-9 ]{8,15}$"}}, ["name"]),
                  "lines": {"type": "array", "items": line, "minItems": 1, "maxItems": 500}}, ["order", "lines"])
    v = [{"order": "0b1e6f2a-4c1d-4e57-9a53-2f6f0c2d9b11", "placed": "2026-09-15T08:30:00+07:00",
          "customer": {"name": words(3), "phone": "+84 262 385 0000"},
          "lines": [{"sku": "SKU-%06d" % i, "quantity": i % 9 + 1, "price": i * 1.5, "note": words(4)} for i in range(50)]}
         for _ in range(20)]
    return case("order of fifty lines", schema, spoil(v, lambda x: x["lines"][40].update(quantity=0)))


def geo():
    position = {"type": "array", "minItems": 2, "maxItems": 3, "items": N}
    shapes = {"Point": position, "LineString": {"type": "array", "minItems": 2, "items": position},
              "Polygon": {"type": "array", "items": {"type": "array", "minItems": 4, "items": position}}}
    geometry = {"oneOf": [obj({"type": {"const": k}, "coordinates": c}, ["type", "coordinates"]) for k, c in shapes.items()]}
    schema = obj({"type": {"const": "FeatureCollection"}, "features": {"type": "array", "items": obj(
        {"type": {"const": "Feature"}, "geometry": geometry, "properties": {"type": ["object", "null"]}},
        ["type", "geometry", "properties"])}}, ["type", "features"])

    def point():
        return [round(random.uniform(107, 109), 6), round(random.uniform(12, 13), 6)]
    v = []
    for _ in range(10):
        features = []
        for i in range(30):
            g = [{"type": "Point", "coordinates": point()}, {"type": "LineString", "coordinates": [point() for _ in range(6)]},
                 {"type": "Polygon", "coordinates": [[point() for _ in range(8)]]}][i % 3]
            features.append({"type": "Feature", "geometry": g, "properties": {"name": words(2)}})
        v.append({"type": "FeatureCollection", "features": features})
    return case("map features", schema, spoil(v, lambda x: x["features"][20]["geometry"].update(type="Circle")))


def tree():
    schema = {"$ref": "#/$defs/node", "$defs": {"node": obj(
        {"name": {"type": "string", "maxLength": 60}, "code": I,
         "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}, ["name"], additionalProperties=False)}}

    def grow(depth):
        n = {"name": words(2), "code": depth}
        if depth:
            n["children"] = [grow(depth - 1) for _ in range(4)]
        return n
    return case("recursive tree", schema, [grow(4) for _ in range(4)])


def metaschema():
    schema = {"$ref": "https://json-schema.org/draft/2020-12/schema"}
    v = [address()["schema"], product()["schema"], order()["schema"], geo()["schema"], tree()["schema"], manifest()["schema"]]
    return case("metaschema", schema, v)


def events():
    kinds = ["created", "assigned", "started", "paused", "resumed", "reviewed", "returned", "approved", "rejected", "closed"]
    one = [obj({"kind": {"const": k}, "at": {"type": "string"}, "by": {"type": "string", "minLength": 1},
                "n%d" % i: {"type": "integer", "minimum": 0}}, ["kind", "at", "n%d" % i]) for i, k in enumerate(kinds)]
    v = [{"kind": kinds[i % 10], "at": date(), "by": ident(), "n%d" % (i % 10): i} for i in range(100)]
    return case("union of ten events", {"oneOf": one}, spoil(v, lambda x: x.update(by="")))


def inherit():
    schema = {"allOf": [{"$ref": "#/$defs/base"}, {"$ref": "#/$defs/dated"}], "properties": {"title": S, "amount": N},
              "unevaluatedProperties": False,
              "$defs": {"base": obj({"id": I, "unit": S}, ["id"]), "dated": obj({"from": S, "to": S}, ["from"])}}
    v = [{"id": i, "unit": "24133", "from": date(), "to": date(), "title": words(4), "amount": 1.5} for i in range(100)]
    return case("inheritance, unevaluated", schema, spoil(v, lambda x: x.update(extra=1)))


def dynamic():
    schema = {"type": "object", "properties": {"kind": S}, "anyOf": [
        {"properties": {"kind": {"const": "road"}, "km": N, "lanes": I}, "required": ["km"]},
        {"properties": {"kind": {"const": "school"}, "rooms": I, "pupils": I}, "required": ["rooms"]},
        {"properties": {"kind": {"const": "clinic"}, "beds": I}, "required": ["beds"]}], "unevaluatedProperties": False}
    kinds = [{"kind": "road", "km": 3.5, "lanes": 2}, {"kind": "school", "rooms": 12, "pupils": 300}, {"kind": "clinic", "beds": 9}]
    v = [dict(kinds[i % 3]) for i in range(99)]
    return case("unevaluated over anyOf", schema, spoil(v, lambda x: x.update(extra=1)))


def conditional():
    schema = obj({"status": {"enum": ["new", "doing", "done", "late"]}, "done_on": S, "reason": {"type": "string", "minLength": 10},
                  "progress": {"type": "integer", "minimum": 0, "maximum": 100}}, ["status", "progress"],
                 dependentRequired={"reason": ["status"]})
    schema["allOf"] = [
        {"if": {"properties": {"status": {"const": "done"}}}, "then": {"required": ["done_on"]}},
        {"if": {"properties": {"status": {"const": "late"}}}, "then": {"required": ["reason"]}, "else": {"not": {"required": ["reason"]}}}]
    kinds = [{"status": "new", "progress": 0}, {"status": "done", "progress": 100, "done_on": "2026-09-15"},
             {"status": "late", "progress": 40, "reason": words(6)}]
    v = [dict(kinds[i % 3]) for i in range(99)]
    return case("conditions", schema, spoil(v, lambda x: x.update(progress=101)))


def unique():
    schema = {"type": "array", "uniqueItems": True, "items": {"type": "string", "minLength": 1}}
    return case("two hundred unique texts", schema, [[ident(10) for _ in range(200)] for _ in range(10)])


def unique_maps():
    schema = {"type": "array", "uniqueItems": True, "items": obj({"a": I, "b": S}, ["a"])}
    return case("forty unique maps", schema, [[{"a": i, "b": ident()} for i in range(40)] for _ in range(10)])


def enums():
    values = [words(3) + " %d" % i for i in range(300)]
    schema = {"type": "array", "items": {"enum": values}}
    return case("enum of three hundred", schema, [[random.choice(values) for _ in range(50)] for _ in range(20)])


def names():
    schema = {"type": "object", "propertyNames": {"pattern": "^[a-z]{3,12}$"}, "additionalProperties": {"type": "integer", "minimum": 0}}
    v = [{ident(9): i for i in range(40)} for _ in range(20)]
    return case("names by pattern", schema, spoil(v, lambda x: x.update({"BAD": 1})))


def matrix():
    schema = {"type": "array", "items": {"type": "array", "items": {"type": "number", "minimum": -1000, "maximum": 1000},
                                         "minItems": 12, "maxItems": 12}}
    return case("matrix of numbers", schema, [[[round(random.uniform(-900, 900), 2) for _ in range(12)] for _ in range(20)] for _ in range(10)])


def integers():
    schema = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 100000, "multipleOf": 5}}
    return case("list of integers", schema, [[random.randint(0, 20000) * 5 for _ in range(200)] for _ in range(10)])


def tuples():
    schema = {"type": "array", "items": {"type": "array", "prefixItems": [{"type": "string", "minLength": 1}, I, N, B], "items": False}}
    return case("tuples", schema, [[[ident(), i, i / 4, True] for i in range(30)] for _ in range(20)])


def contains():
    schema = {"type": "array", "contains": {"type": "object", "required": ["chief"]}, "minContains": 1, "maxContains": 2,
              "items": obj({"name": S, "chief": {"const": True}}, ["name"])}
    v = [[{"name": ident()} for _ in range(20)] + [{"name": ident(), "chief": True}] for _ in range(20)]
    return case("contains", schema, spoil(v, lambda x: x.pop()))


def narrative():
    text = {"type": "string", "minLength": 10, "maxLength": 300}
    schema = obj({k: text for k in ("kho_khan", "nguyen_nhan", "kien_nghi", "phuong_huong")}, ["kho_khan"])
    v = [{k: words(40) for k in ("kho_khan", "nguyen_nhan", "kien_nghi", "phuong_huong")} for _ in range(30)]
    return case("Vietnamese narrative", schema, spoil(v, lambda x: x.update(kien_nghi="ngắn")))


def network():
    schema = {"type": "array", "items": obj({"host": {"type": "string", "format": "hostname"}, "v4": {"type": "string", "format": "ipv4"},
                                             "v6": {"type": "string", "format": "ipv6"}, "at": {"type": "string", "format": "date-time"},
                                             "link": {"type": "string", "format": "uri-reference"}}, ["host"])}
    v = [[{"host": "a%d.daklak.gov.vn" % i, "v4": "10.0.%d.7" % i, "v6": "2001:db8::%x" % i, "at": "2026-09-15T08:30:00Z",
           "link": "/van-ban/%d?x=1" % i} for i in range(20)] for _ in range(10)]
    return case("network formats", schema, v)


def settings():
    value = {"anyOf": [{"type": "string", "maxLength": 100}, {"type": "integer"}, {"type": "boolean"},
                       {"type": "array", "items": {"type": "string"}}, {"type": "null"}]}
    schema = {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": value}}
    v = [{ident(): {ident(): random.choice(["text", 5, True, ["a", "b"], None]) for _ in range(12)} for _ in range(8)} for _ in range(20)]
    return case("settings of mixed types", schema, spoil(v, lambda x: x.update(bad={"x": 1.5})))


def register():
    task = obj({"ma": {"type": "string", "pattern": "^NV-[0-9]{2,4}$"}, "ten": {"type": "string", "minLength": 5, "maxLength": 300},
                "han": {"type": "string", "format": "date"}, "tien_do": {"type": "number", "minimum": 0, "maximum": 100},
                "trang_thai": {"enum": ["Chưa thực hiện", "Đang thực hiện", "Hoàn thành", "Hoàn thành chậm", "Hủy"]},
                "chu_tri": {"type": "string"}, "vuong_mac": {"type": "string", "maxLength": 1000}},
               ["ma", "ten", "han", "trang_thai"], additionalProperties=False)
    schema = obj({"giao": I, "hoan_thanh": I, "nhiem_vu": {"type": "array", "maxItems": 500, "items": task}}, ["giao", "nhiem_vu"],
                 additionalProperties=False)
    v = [{"giao": 30, "hoan_thanh": 12, "nhiem_vu": [
        {"ma": "NV-%02d" % i, "ten": words(12), "han": date(), "tien_do": i * 2.5, "trang_thai": "Đang thực hiện", "chu_tri": words(3)}
        for i in range(30)]} for _ in range(20)]
    return case("task register", schema, spoil(v, lambda x: x["nhiem_vu"][25].update(han="15/9/2026")))


def wide():
    schema = obj({"chi_tieu_%03d" % i: {"type": "integer", "minimum": 0} for i in range(150)}, ["chi_tieu_%03d" % i for i in range(100)],
                 additionalProperties=False)
    v = [{"chi_tieu_%03d" % i: random.randint(0, 10 ** 6) for i in range(150)} for _ in range(20)]
    return case("table of 150 figures", schema, spoil(v, lambda x: x.update(chi_tieu_149=-1)))


def all_cases():
    return [f() for f in (address, product, person, manifest, order, geo, tree, metaschema, events, inherit, dynamic, conditional,
                          unique, unique_maps, enums, names, matrix, integers, tuples, contains, narrative, network, settings,
                          register, wide)]
