/*
description = "Each principal, but those of account groups whose files are the same on both sides, with its profile and a number for all that the profile may do: equal access has equal numbers, whatever the ids of profiles, blocks and cells are."
grain = ["principal_arn"]
*/
with
contents as (
    select
        cell_access.cell_id,
        md5(
            to_json(
                list(
                    [
                        cell_access.resource_type,
                        cell_access.resource_pattern,
                        cell_access.condition_id,
                        cell_access.except_resources
                    ]
                    order by cell_access.resource_type, cell_access.resource_pattern
                )
            )::varchar
        ) as content,
    from cell_access
    inner join cell_verdicts on cell_access.cell_id = cell_verdicts.cell_id
    anti join equal_groups on group_of(cell_access.cell_id) = equal_groups.group_number
    where is_granted(cell_verdicts.verdict)
    group by cell_access.cell_id
),

parts as (
    select distinct
        profile_cases.case_id,
        profile_cases.block_id,
    from profile_cases
    anti join equal_groups on group_of(profile_cases.case_id) = equal_groups.group_number
),

-- Blocks cut the actions differently from build to build: numbers are of actions, and their order does not count.
of_parts as (
    select
        parts.case_id,
        parts.block_id,
        bit_xor(md5_number(block_actions.action || chr(10) || contents.content)) as number,
    from parts
    inner join block_actions on parts.block_id = block_actions.block_id
    semi join compared_actions on block_actions.action = compared_actions.action
    inner join case_cells
        on parts.case_id = case_cells.case_id and block_actions.form_id = case_cells.form_id
    inner join contents on case_cells.cell_id = contents.cell_id
    group by
        parts.case_id,
        parts.block_id
),

of_profiles as (
    select
        profile_cases.profile_id,
        bit_xor(of_parts.number) as number,
    from profile_cases
    inner join of_parts
        on profile_cases.case_id = of_parts.case_id and profile_cases.block_id = of_parts.block_id
    group by profile_cases.profile_id
)

select
    principal_profiles.principal_arn,
    principal_profiles.account_id,
    principal_profiles.principal_type,
    principal_profiles.is_incomplete,
    principal_profiles.profile_id,
    coalesce(of_profiles.number, 0)::varchar as number,
from principal_profiles
inner join principals on principal_profiles.principal_arn = principals.principal_arn
left join of_profiles on principal_profiles.profile_id = of_profiles.profile_id
anti join equal_groups on group_of(principal_profiles.profile_id) = equal_groups.group_number
where
    ($account is null or principal_profiles.account_id = $account)
    and (
        $principal is null
        or principals.principal_arn = $principal
        or principals.principal_name = $principal
    )
