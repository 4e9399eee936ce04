/*
description = "The formulas of the residual conditions $condition_ids, with the account of $principal in its place."
grain = ["condition_id"]
*/
select
    residual_conditions.condition_id,
    own_text(residual_conditions.formula, principals.account_id) as formula,
from residual_conditions
inner join principals on principals.principal_arn = $principal
where residual_conditions.condition_id in (select unnest($condition_ids))
order by residual_conditions.condition_id
