/*
description = "Each changed principal and action with the cells of both sides. Questions of one id have the same answers: the account counts only where its id is written out."
grain = ["principal_arn", "action"]
*/
with
profile_pairs as (
    select distinct
        old_profile_id,
        new_profile_id,
    from pairs
),

sides as (
    select
        profile_pairs.old_profile_id,
        profile_pairs.new_profile_id,
        old.action,
        old.content as old_content,
        new.content as new_content,
        old.content_hash as old_hash,
        new.content_hash as new_hash,
        old.cell_id as old_cell_id,
        new.cell_id as new_cell_id,
    from profile_pairs
    inner join old_contents as old on profile_pairs.old_profile_id = old.profile_id
    left join new_contents as new on profile_pairs.new_profile_id = new.profile_id and old.action = new.action
    where old.content_hash is distinct from new.content_hash
    union all
    select
        profile_pairs.old_profile_id,
        profile_pairs.new_profile_id,
        new.action,
        null as old_content,
        new.content as new_content,
        null as old_hash,
        new.content_hash as new_hash,
        null as old_cell_id,
        new.cell_id as new_cell_id,
    from profile_pairs
    inner join new_contents as new on profile_pairs.new_profile_id = new.profile_id
    anti join old_contents as old on profile_pairs.old_profile_id = old.profile_id and new.action = old.action
    where new.content_hash is not null
),

placed as (
    select
        pairs.principal_arn,
        pairs.account_id,
        sides.action,
        sides.old_cell_id,
        sides.new_cell_id,
        sides.old_hash,
        sides.new_hash,
        split_part(sides.action, ':', 1) as service,
        case
            when pairs.account_id is null then '*'
            when
                contains(coalesce(sides.old_content, ''), pairs.account_id)
                or contains(coalesce(sides.new_content, ''), pairs.account_id)
                then pairs.account_id
            else ''
        end as own_account,
    from sides
    inner join pairs
        on
            sides.old_profile_id is not distinct from pairs.old_profile_id
            and sides.new_profile_id is not distinct from pairs.new_profile_id
)

select
    *,
    md5(concat_ws(' ', coalesce(old_hash, '-'), coalesce(new_hash, '-'), service, own_account)) as question_id,
from placed
