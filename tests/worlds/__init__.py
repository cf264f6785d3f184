"""Named worlds: the data that tests look at, each made by one function, and what it is good for.

Raw files, as somebody delivers them:
    made_delivery    500 users over three months, clean and with every kind of dirt, one file an entity, and
                     300 over four, enough for a whole pipeline; needs no Spark and nobody's data:
                     stages and jobs from raw files on
    deliveries       sessions that keep the real grammar, a few lines at a time: what ingest does with a line
    planted          texts of users with names, addresses and numbers in them, and where any is left: masking
    synthetic        what the generator makes in three sizes, as pandas tables: the generator itself

Silver tables, as ingest writes them:
    fixed_world      16 users, 14 months, never changes: recorded values of features
    silver           a clean delivery's tables by Spark's own functions: what features begin with
    quality_worlds   silver frames with one fault each: checks of quality
    histories        little worlds that can't touch each other, events in any order: builds on top of builds
    taste_world      people who pick by taste, as arrays, with the true chances: how good a feed is
    known_effect     2,000 users in an experiment whose effect the generator knows: estimates of effects

Parts of a build, as kernels hand them on:
    month_world      a month by hand, a line an event: the kernel of a month
    made_events      a month at random: the same kernel beside plain Python
    slice_world      months of a few users by hand or at random: the kernel over users

Cases and accounts, as the trust team meets them:
    ring_scores      made worlds through the kernels that find rings: how well rings are found

Rows per user and month, as features and labels:
    known_hazard     whose probability of buying is known: models, evaluation, promotion
    trained          the same in a lake with a trained model, once a worker: what reads a model
    made_tables      features and labels behind a lake of frames: the table of a training
    ads_world        whose purchases follow the generator's hazard: advice of a simulation, truth of a change
"""
