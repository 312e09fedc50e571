"""Five years of Beijing as history: in by the hour, out by the day, through a restart."""
import calendar
import csv
import os
import time

BEIJING = "beijing/PRSA_data_2010.1.1-2014.12.31.csv"
STATION = "urn:ngsi-ld:AirQualityObserved:beijing"
COLUMNS = {"pm25": ("pm2.5", "GQ"), "temperature": ("TEMP", "CEL"), "atmosphericPressure": ("PRES", "A97")}
AT_ONCE = 8000  # hours in a request
DAYS = 5 * 365 + 1


def utc(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def hours(shared_data):
    """Rows of the file with the second, UTC, at which their hour begins (the file has Beijing time)."""
    with open(os.path.join(shared_data, BEIJING), newline="", encoding="ascii") as file:
        for row in csv.DictReader(file):
            local = calendar.timegm((int(row["year"]), int(row["month"]), int(row["day"]), int(row["hour"]), 0, 0))
            yield local - 8 * 3600, row


def instance(seconds, row, column, unit):
    return {"type": "Property", "value": float(row[column]), "unitCode": unit, "observedAt": utc(seconds)}


def evolution(rows):
    entity = {"id": STATION, "type": "AirQualityObserved"}
    for name, (column, unit) in COLUMNS.items():
        entity[name] = [instance(at, row, column, unit) for at, row in rows if row[column] != "NA"]
    return entity


def by_day(rows, column, start, work):
    days = {}
    for at, row in rows:
        if row[column] != "NA":
            days.setdefault((at - start) // 86400, []).append(float(row[column]))
    return {day: work(numbers) for day, numbers in days.items()}


def asked(city, start, method):
    params = {"timerel": "between", "timeAt": utc(start), "endTimeAt": utc(start + DAYS * 86400), "options": "aggregatedValues",
              "aggrMethods": method, "aggrPeriodDuration": "P1D", "local": "true"}
    answer = city.get(f"temporal/entities/{STATION}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def compare(city, rows, start):
    for method, work in (("max", max), ("min", min), ("totalCount", len)):
        got = asked(city, start, method)
        for name, (column, _) in COLUMNS.items():
            periods = got[name][method]
            assert [(end, begin) for _, begin, end in periods] == [(utc(calendar.timegm(time.strptime(b, "%Y-%m-%dT%H:%M:%SZ")) + 86400), b)
                                                                   for _, b, _ in periods]
            mine = by_day(rows, column, start, work)
            assert {(calendar.timegm(time.strptime(b, "%Y-%m-%dT%H:%M:%SZ")) - start) // 86400: v for v, b, _ in periods} == mine


def test_five_years_by_the_day(city, shared_data):
    rows = list(hours(shared_data))
    assert len(rows) == 43824
    for first in range(0, len(rows), AT_ONCE):
        answer = city.post("temporal/entities", evolution(rows[first:first + AT_ONCE]))
        assert answer.status_code == (204 if first else 201), answer.text
    start = rows[0][0]
    compare(city, rows, start)
    city.restart()
    compare(city, rows, start)
    some = city.get(f"temporal/entities/{STATION}", params={
        "timerel": "between", "timeAt": utc(rows[30000][0]), "endTimeAt": utc(rows[30024][0]), "attrs": "temperature"}).json()
    assert [i["value"] for i in some["temperature"]] == [float(row["TEMP"]) for _, row in rows[30000:30024]]
    assert {i["unitCode"] for i in some["temperature"]} == {"CEL"}
