/*
description = "Small numbers for what statements say, as the lake has them: they count within the account group."
grain = ["statement_number"]
*/
select
    statement_number,
    (row_number() over (order by statement_number))::integer as small_number,
from numbered_statements
