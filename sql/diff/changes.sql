/*
description = "The differences between two snapshots, one row for each scope whose access differs."
grain = ["principal_arn", "action", "resource_type", "change", "resource_pattern", "old_resource_pattern"]
*/
select
    pairs.principal_arn,
    pairs.account_id,
    pairs.principal_type,
    pairs.found_in,
    changed_rows.action,
    reference_actions.access_level,
    changed_rows.resource_type,
    changed_rows.change,
    changed_rows.residual,
    new.resource_pattern,
    old.resource_pattern as old_resource_pattern,
    new.except_resources,
    old.except_resources as old_except_resources,
    new.verdict,
    old.verdict as old_verdict,
    new.condition,
    old.condition as old_condition,
    reason_texts.through,
    new.granted_by,
    new.limited_by,
    old.granted_by as old_granted_by,
    old.limited_by as old_limited_by,
    witness_line(
        pairs.principal_arn,
        changed_rows.witness_session,
        changed_rows.action,
        changed_rows.witness,
        pairs.account_id
    ) as witness,
    witness_line(
        pairs.principal_arn,
        changed_rows.lost_witness_session,
        changed_rows.action,
        changed_rows.lost_witness,
        pairs.account_id
    ) as lost_witness,
    pairs.is_incomplete,
from changed_rows
inner join pairs on changed_rows.principal_arn = pairs.principal_arn
left join old_side as old on changed_rows.row_id = old.row_id
left join new_side as new on changed_rows.row_id = new.row_id
left join reason_texts
    on
        old.granted_by is not distinct from reason_texts.old_granted_by
        and old.limited_by is not distinct from reason_texts.old_limited_by
        and old.standing is not distinct from reason_texts.old_standing
        and new.granted_by is not distinct from reason_texts.granted_by
        and new.limited_by is not distinct from reason_texts.limited_by
        and new.standing is not distinct from reason_texts.standing
left join reference_actions on changed_rows.action = reference_actions.action
order by changed_rows.row_id
