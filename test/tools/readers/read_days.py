"""Reads collected data with Spark as Azure's monitoring job does (component model_data_collector_preprocessor), and
the types of baselines, with which the job's drift component compares them.

Arguments: the folder of the collections; a JSON object with the rows of the baseline of each. Prints JSON."""
import json
import sys
import tempfile

from pyspark.sql import SparkSession
from pyspark.sql.functions import concat_ws, posexplode
from pyspark.sql.types import AtomicType


def types_of(frame):
    return {field.name: field.dataType.simpleString() for field in frame.schema}


def read(spark, root, rows):
    # One schema for all files of all hours: here a column of two types would become a third one.
    raw = spark.read.json(root + "/*/*/*/*/*.jsonl")
    exploded = raw.select(posexplode("data").alias("index", "value"), "correlationid")
    named = exploded.withColumn("correlationid", concat_ws("_", "correlationid", "index")).drop("index")
    # A column with a dot would be looked up as a member here, or refused later.
    frame = named.select("value.*", "correlationid")
    return {
        "files": len(raw.inputFiles()),
        "types": types_of(frame),
        "baseline": types_of(spark.createDataFrame(rows)),
        "dotted": [name for name in frame.columns if "." in name],
        "nested": [field.name for field in frame.schema if not isinstance(field.dataType, AtomicType)],
        "alike": len({name.lower() for name in frame.columns}) < len(frame.columns),
        "rows": [row.asDict() for row in frame.collect()],
    }


with tempfile.TemporaryDirectory() as local, open(sys.argv[2], encoding="utf-8") as baselines:
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.local.dir", local)
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    print(json.dumps({name: read(spark, sys.argv[1] + "/" + name, rows) for name, rows in json.load(baselines).items()}))
    spark.stop()
