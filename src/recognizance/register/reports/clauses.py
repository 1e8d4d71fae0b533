"""Which laws ask for figures like those of a report, and where in it they are.

This helps an operator to comply and says of nobody that they do. The laws were read in summaries, not clause by clause:
check the text of the law before relying on a row.
"""

CAVEAT = (
    "This table helps to find what a law may ask for. It doesn't say that the law is kept, nor that the figures are all"
    " that it asks for. Compare it with the text of the law."
)

COLUMNS = ("Law", "What it asks for, in short", "Where in this report", "What people still have to add")

ROWS = (
    (
        "Maryland, Criminal Procedure 2-505 to 2-510",
        "Yearly audit and report, a named coordinator; searches by kind of crime, breaches",
        "Who answers for it; What it was used for; Reviews and leads; Incidents, audits, sharing, cost",
        "Leads acted on by age, race and sex, counted by people and published: no entry holds that about anybody",
    ),
    (
        "Virginia, Code 15.2-1723.2",
        "At least 98 % true positives in every group, by independent tests; a public report each year",
        "How often it errs; What it was used for; Reviews and leads",
        "The evaluating institution's own report",
    ),
    (
        "San Francisco, Administrative Code 19B",
        "Yearly surveillance report: use, sharing, complaints, audits, violations, effectiveness, cost, changes",
        "What it was used for; What people asked; Incidents, audits, sharing, cost; Decisions and changes",
        "What the use achieved, in words; where it was used",
    ),
    (
        "European Union, AI Act, Article 12(3)",
        "A record of each use: period, reference database, input that led to a match, people who verified",
        "Counts only: the record of each use is in the ledger, and for a case in its disclosure bundle",
        "",
    ),
    (
        "European Union, AI Act, Article 26(10)",
        "Yearly report on post-remote biometric identification, and what became of late authorisations",
        "What it was used for (class of search); Emergencies and late approvals",
        "Outcomes of requests to courts or authorities that were made outside the service",
    ),
)
