# What an analyst does in Python: python3 reports.py CONNINFO SCHEMA lists the views with their comments, reads incidents and the rates
# into data frames, and prints as JSON what pandas made of them.
import json
import sys
import warnings

import pandas
import psycopg2

# pandas asks for SQLAlchemy; a connection of psycopg2 serves as well
warnings.filterwarnings("ignore", message="pandas only supports SQLAlchemy")
connection = psycopg2.connect(sys.argv[1], options=f"-c search_path={sys.argv[2]}")
views = pandas.read_sql(
    "SELECT c.relname AS view, obj_description(c.oid) AS comment FROM pg_class AS c WHERE relnamespace = %s::regnamespace AND relkind = 'v'",
    connection, params=[sys.argv[2]])
incidents = pandas.read_sql("SELECT * FROM incidents WHERE severity = 'high'", connection, index_col="display_code")
rates = pandas.read_sql("SELECT month, hours, trir FROM kpi_rates WHERE establishment_id IS NULL", connection, parse_dates=["month"])
json.dump({
    "views": dict(zip(views["view"], views["comment"])),
    "types": {name: str(kind) for name, kind in incidents.dtypes.items()},
    "titles": sorted(incidents["title"]),
    "byMonth": incidents.groupby(incidents["occurred_at"].dt.strftime("%Y-%m")).size().to_dict(),
    "rates": rates.assign(month=rates["month"].dt.strftime("%Y-%m")).to_dict("records"),
}, sys.stdout)
