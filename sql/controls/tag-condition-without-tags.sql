/*
id = "tag-condition-without-tags"
title = "A tag condition on calls that tags cannot restrict"
severity = "medium"
category = "guide"
rationale = """
The tags of a resource come into a request only with a resource that has them. List calls, Search and the like name none:
for them the key is absent, so an Allow that asks for a tag never applies, and a Deny that looks for a tag never fires. With IfExists
or a negated operator it is the other way round: the condition is always met, and limits nothing."""
remedy = """
Put these actions into a statement of their own without the tag condition, and decide there whether to allow them. What
List calls and Search show cannot be limited by the tags of resources."""
avoid = '''
{"Effect": "Allow", "Action": ["sagemaker:ListModels", "sagemaker:DeleteModel"], "Resource": "*",
 "Condition": {"StringEquals": {"aws:ResourceTag/project": "a"}}}'''
prefer = '''
[{"Effect": "Allow", "Action": "sagemaker:ListModels", "Resource": "*"},
 {"Effect": "Allow", "Action": "sagemaker:DeleteModel", "Resource": "*",
  "Condition": {"StringEquals": {"aws:ResourceTag/project": "a"}}}]'''

[frameworks]
nist-800-53-r5 = ["AC-3", "AC-16"]

[sources.unavailable]
query = "unavailable_condition_keys"
key = "*resourcetag*"
*/
select
    'statement' as subject_kind,
    statement_id,
    condition_key as aspect,
    effect || ' with ' || condition_key || ': ' || actions_without_key
    || case actions_without_key when 1 then ' action' else ' actions' end || ' of '
    || (actions_with_key + actions_without_key)
    || case actions_without_key when 1 then ' never carries it: ' else ' never carry it, such as ' end
    || array_to_string(actions[:3], ', ') as message,
    json_object('drop_actions', actions)::varchar as correction,
from unavailable
