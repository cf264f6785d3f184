"""The job `feedback` as a file, which spark-submit asks for; its flags and its work are the package's."""

import sys

from pozytywka_spark.jobs.feedback import main

if __name__ == "__main__":
    sys.exit(main())
