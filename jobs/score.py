"""The job `score` as a file, which spark-submit asks for; its flags and its work are the package's."""

from pozytywka_spark.ending import run_to_the_end
from pozytywka_spark.jobs.score import main

if __name__ == "__main__":
    run_to_the_end(main)
