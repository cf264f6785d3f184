"""The front door for notebooks and programs, thin over the stages: `import pozytywka_spark` names it all."""
