"""Plausible objectives and key results for the form hn-okr-quarterly and what its indicators make of them."""
import copy
from fractions import Fraction

import plausible

ID = "hn-okr-quarterly"
PROGRAMME = "hn-kpi"


def weights(rng, n):
    """n whole percentages that add up to 100."""
    cuts = sorted(rng.sample(range(1, 100), n - 1))
    return [b - a for a, b in zip([0] + cuts, cuts + [100])]


class Unit:
    def __init__(self, rng, kind):
        self.kind = kind
        self.objectives = []
        for i, weight in enumerate(weights(rng, rng.randint(1, 4))):
            results = []
            for k, share in enumerate(weights(rng, rng.randint(1, 4))):
                base = rng.randint(0, 60)
                down = rng.random() < 0.3
                results.append({"ma": f"KR-{i + 1}{k + 1}", "ten": "Hồ sơ giải quyết đúng hạn", "goc": base,
                                "chi_tieu": base - rng.randint(1, 40) if down else base + rng.randint(1, 40), "thuc_te": base,
                                "trong_so": share, "chieu": "Giảm" if down else "Tăng"})
            self.objectives.append({"ma": f"MT-{i + 1}", "ten": "Phục vụ người dân tốt hơn", "trong_so": weight, "kr": results})
        self.difficulties = []

    def period(self, rng, year, n):
        objectives = copy.deepcopy(self.objectives)
        for o in objectives:
            for k in o["kr"]:
                step = rng.randint(0, 12)
                k["thuc_te"] += step if k["chieu"] == "Tăng" else -step
        d = {"muc_tieu": objectives, "diem": score(objectives)}
        plausible.difficulties(d, rng, n, self.difficulties)
        return d

    def keep(self, data):
        self.objectives = copy.deepcopy(data["muc_tieu"])
        self.difficulties = plausible.still_open(data)


def score(objectives):
    total = Fraction(0)
    for o in objectives:
        for k in o["kr"]:
            reached = Fraction(k["thuc_te"] - k["goc"], k["chi_tieu"] - k["goc"])
            total += Fraction(o["trong_so"] * k["trong_so"], 100) * max(Fraction(0), min(Fraction(1), reached))
    hundredths = int(total * 100 + Fraction(1, 2))
    return hundredths // 100 if hundredths % 100 == 0 else hundredths / 100


def explanations(data, n, kept):
    return {}


def corrected(data, rng):
    d = copy.deepcopy(data)
    for k in d["muc_tieu"][0]["kr"]:
        k["thuc_te"] = k["chi_tieu"] if (k["thuc_te"] < k["chi_tieu"]) == (k["chieu"] == "Tăng") else k["thuc_te"]
    d["muc_tieu"][0]["ghi_chu"] = f"Số liệu đã được rà soát lần {rng.randint(2, 9)}."
    d["diem"] = score(d["muc_tieu"])
    return d


ONLY = {}


def figures(data):
    results = [k for o in data["muc_tieu"] for k in o["kr"]]
    return {"okr_objectives": len(data["muc_tieu"]), "okr_results": len(results), "okr_score": score(data["muc_tieu"]),
            "okr_reached": sum(k["thuc_te"] >= k["chi_tieu"] if k["chieu"] == "Tăng" else k["thuc_te"] <= k["chi_tieu"]
                               for k in results)}


def weights_off(report):
    report["data"]["muc_tieu"][0]["trong_so"] -= 1


def target_is_base(report):
    result = report["data"]["muc_tieu"][0]["kr"][0]
    result["chi_tieu"] = result["goc"]


def wrong_direction(report):
    result = report["data"]["muc_tieu"][0]["kr"][0]
    result["chieu"] = "Tăng" if result["chieu"] == "Giảm" else "Giảm"


MISTAKES = [
    ("weights-off", "INVALID", 1, weights_off, None),
    ("target-is-base", "INVALID", 1, target_is_base, None),
    ("wrong-direction", "INVALID", 1, wrong_direction, None),
] + plausible.MISTAKES
