"""A small monthly form whose checks look back, and its reports: for tests of history checks."""
import os
import shutil

import yaml
from conftest import PROVINCE

UNITS = ("24133", "24211", "24259")

FORM = """# yaml-language-server: $schema=form.schema.yaml
baocao: 1
id: thu-ky-truoc
version: 1
title: {vi: Báo cáo tháng để thử so với kỳ trước, en: Monthly report for trying checks that look back}
basis: [Biểu dùng để thử nghiệm]
programme: nd73
reporters: {only: ["24133", "24211", "24259"]}
period: {type: month, calendar: civil}
deadline: {working_days: 5}
lock: {working_days: 5, then: accept}
nil: allowed
effective: {from: 2025-07-01, to: null}
schema:
  $schema: https://json-schema.org/draft/2020-12/schema
  type: object
  required: [vu, luy_ke]
  additionalProperties: false
  properties:
    vu: {title: Vụ việc trong tháng, x-en: Cases of the month, type: integer, minimum: 0}
    luy_ke: {title: Lũy kế từ đầu năm, x-en: Since the start of the year, type: integer, minimum: 0}
    so_nguoi: {title: Số người, x-en: Staff, type: integer, minimum: 0}
    viec:
      title: Việc được giao
      x-en: Tasks
      type: array
      maxItems: 20
      x-key: ma
      items:
        type: object
        required: [ma, tien_do]
        additionalProperties: false
        properties:
          ma: {title: Mã việc, x-en: Code, type: string}
          tien_do: {title: Tiến độ, x-en: Progress, type: integer, minimum: 0, maximum: 100}
checks:
  - id: luy-ke-khop
    rule: self.luy_ke == ytd.cases + self.vu
    at: luy_ke
    severity: error
    message:
      vi: "Lũy kế phải bằng {ytd.cases} của các tháng trước cộng {self.vu}; đang ghi {self.luy_ke}."
      en: "The sum since January must be {ytd.cases} of the months before plus {self.vu}; it says {self.luy_ke}."
  - id: tien-do-lui
    each: viec
    when: prev_item != null
    rule: item.tien_do >= prev_item.tien_do
    at: tien_do
    severity: confirm
    message:
      vi: "Tiến độ {item.ma} lùi từ {prev_item.tien_do} xuống {item.tien_do}."
      en: "Progress of {item.ma} fell from {prev_item.tien_do} to {item.tien_do}."
  - id: khong-bo-sot
    each: prev.viec
    when: item.tien_do < 100
    rule: now_item != null
    severity: error
    message:
      vi: "Việc {item.ma} của tháng trước chưa xong mà không còn trong báo cáo."
      en: "Task {item.ma} of the month before is not done and has gone from the report."
  - id: so-nguoi-cung-ky
    when: prev_year != null
    rule: self.so_nguoi >= prev_year.so_nguoi
    at: so_nguoi
    severity: warning
    message:
      vi: "Số người giảm so với cùng kỳ năm trước, từ {prev_year.so_nguoi} xuống {self.so_nguoi}."
      en: "Staff fell from {prev_year.so_nguoi} a year ago to {self.so_nguoi}."
indicators:
  - code: cases
    label: {vi: Vụ việc, en: Cases}
    measure: {vi: vụ, en: cases}
    value: self.vu
    decimals: 0
    over_units: sum
    over_time: sum
  - code: staff
    label: {vi: Số người, en: Staff}
    measure: {vi: người, en: people}
    value: self.so_nguoi
    decimals: 0
    over_units: sum
    over_time: last
"""


def add_form(folder, text=FORM, name="thu-ky-truoc.v1.yaml"):
    path = os.path.join(folder, "nd73", name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o644)
    return path


def schemas_with_form(root, programs):
    """A copy of the schemas with the form in it: (forms folder, province folder)."""
    folder = os.path.join(root, "schemas")
    shutil.copytree(programs.schemas, folder)
    add_form(folder)
    return folder, os.path.join(folder, "provinces", PROVINCE)


def report(period, vu, luy_ke, unit="24133", revision=1, viec=None, so_nguoi=None, explain=None, more=None):
    """The text of a report; viec: {code: progress}."""
    data = {"vu": vu, "luy_ke": luy_ke}
    if so_nguoi is not None:
        data["so_nguoi"] = so_nguoi
    if viec is not None:
        data["viec"] = [{"ma": code, "tien_do": done} for code, done in viec.items()]
    whole = {"form": "thu-ky-truoc", "unit": unit, "period": period, "revision": revision}
    if explain:
        whole["explain"] = explain
    return yaml.safe_dump({**whole, "data": {**data, **(more or {})}}, allow_unicode=True, sort_keys=False)
