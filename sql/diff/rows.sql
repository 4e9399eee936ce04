/*
description = "What differs for each changed principal and action: one row for each scope."
grain = ["row_id"]
*/
select
    row_number() over (
        order by
            questions.principal_arn,
            questions.action,
            differences.resource_type,
            differences.difference_number
    ) as row_id,
    questions.principal_arn,
    questions.account_id,
    questions.action,
    questions.old_cell_id,
    questions.new_cell_id,
    differences.resource_type,
    differences.change,
    differences.residual,
    differences.old_places,
    differences.new_places,
    differences.witness,
    differences.witness_session,
    differences.lost_witness,
    differences.lost_witness_session,
from questions
inner join differences on questions.question_id = differences.question_id
