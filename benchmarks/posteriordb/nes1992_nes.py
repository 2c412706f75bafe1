"""Party identification by ideology, race, age, education, gender and income: nine flat coefficients."""

import numpy as np

import exmc_actors as ex


def model(data):
    age = np.asarray(data["age_discrete"])
    columns = [
        np.ones(data["N"]),
        data["real_ideo"],
        data["race_adj"],
        *(age == group for group in (2, 3, 4)),
        data["educ1"],
        data["gender"],
        data["income"],
    ]
    b = ex.Builder()
    beta = b.rv("beta", ex.Flat(), shape=len(columns))
    sigma = b.rv("sigma", ex.HalfFlat())
    b.obs("partyid7", ex.Normal(np.column_stack(columns) @ beta, sigma), data["partyid7"])
    return b.model()
