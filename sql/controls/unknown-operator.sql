/*
id = "unknown-operator"
title = "A condition operator does not exist"
severity = "high"
category = "hygiene"
rationale = """
AWS refuses a policy with such an operator, so the file is not what AWS has, or was never given to it. The build left the
policy out: what it would allow or deny is in no answer."""
remedy = "Write the operator as AWS spells it, and build again."
uncorrected = "which operator was meant, the statement does not tell, and without the condition it would grant more."
avoid = '''
{"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*",
 "Condition": {"StringMatches": {"aws:RequestTag/project": "a"}}}'''
prefer = '''
{"Effect": "Allow", "Action": "sagemaker:CreateModel", "Resource": "*",
 "Condition": {"StringLike": {"aws:RequestTag/project": "a"}}}'''

[frameworks]
nist-800-53-r5 = ["AC-3"]
*/
select
    'policy' as subject_kind,
    source || case pointer when '' then '' else ' at ' || pointer end as subject,
    source || ' ' || pointer as aspect,
    source,
    message,
    remedy,
from rejects
where code = 'unknown-operator'
