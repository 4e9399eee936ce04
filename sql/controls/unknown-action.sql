/*
id = "unknown-action"
title = "An action does not exist"
severity = "medium"
category = "hygiene"
rationale = """
The service reference knows no action of this name: it is misspelt, retired, or newer than the reference. An Allow gives
nothing, and a Deny protects nothing."""
remedy = """
Use the name of the action that the API authorizes. Tags are set with sagemaker:AddTags and taken away with
sagemaker:DeleteTags; sagemaker:CreateTags never existed."""
avoid = '''
{"Effect": "Deny", "Action": ["sagemaker:CreateTags", "sagemaker:DeleteTags"], "Resource": "*"}'''
prefer = '''
{"Effect": "Deny", "Action": ["sagemaker:AddTags", "sagemaker:DeleteTags"], "Resource": "*"}'''

[frameworks]
nist-800-53-r5 = ["AC-3"]

[sources.unknown]
query = "unknown_actions"
*/
with
-- An action of the service whose name is a slip of the pen away, where there is one alone.
spelt as (
    select
        actions.action_pattern,
        any_value(reference_actions.action) as action,
    from actions
    inner join reference_actions on actions.service = reference_actions.service
    where
        actions.matched_action_count = 0
        and not actions.is_wildcard
        and levenshtein(lower(actions.action_pattern), lower(reference_actions.action)) <= 2
    group by actions.action_pattern
    having count(distinct reference_actions.action) = 1
)

select
    'statement' as subject_kind,
    statements.statement_id,
    actions.action_pattern as action,
    statements.effect || ' of ' || actions.action_pattern || ', which is no action: it '
    || case statements.effect when 'Allow' then 'grants nothing' else 'protects nothing' end
    || coalesce('; ' || spelt.action || ' may be meant', '') as message,
    -- To write it right in an Allow would grant more than before.
    case
        when statements.effect = 'Deny' and spelt.action is not null
            then json_object('replace_actions', json_object(actions.action_pattern, spelt.action))::varchar
        else json_object('drop_actions', [actions.action_pattern], 'is_without_effect', true)::varchar
    end as correction,
from actions
inner join statements on actions.statement_id = statements.statement_id
semi join unknown
    on
        actions.action_pattern = unknown.action_pattern
        and statements.policy_id = unknown.policy_id
left join spelt on actions.action_pattern = spelt.action_pattern
where actions.matched_action_count = 0
