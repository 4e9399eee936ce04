/*
id = "resource-open-to-other-accounts"
title = "A resource policy is open to other accounts"
severity = "medium"
category = "grants"
rationale = """
The policy of the resource allows principals of another account. That account's administrators decide who of them, and SCPs of
this organization do not reach them."""
remedy = """
Take the account out if the share is over. Accounts that are trusted go into the parameter, or the risk is accepted with an expiry."""
uncorrected = "whether the share is over, no policy tells."
avoid = '''
{"Effect": "Allow", "Principal": {"AWS": "999988887777"}, "Action": "sagemaker:DescribeModelPackage", "Resource": "*"}'''
prefer = '''
{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:role/deployer"},
 "Action": "sagemaker:DescribeModelPackage", "Resource": "*"}'''

[frameworks]
nist-800-53-r5 = ["AC-3", "AC-4"]
soc2-2017 = ["CC6.6"]
iso-27001-2022 = ["A.5.15"]

[parameters.trusted_accounts]
description = "Accounts that may be named"
default = []

[sources.shared]
query = "shared_resources"
*/
with
others as (
    select
        resource_arn,
        account_id,
        statement_id,
        named_account(principal_value) as other_account,
    from shared
    where
        effect = 'Allow'
        and attachment_kind = 'resource'
        and principal_kind = 'AWS'
        and principal_element = 'Principal'
        and named_account(principal_value) != ''
)

select distinct
    'resource' as subject_kind,
    resource_arn,
    account_id,
    statement_id,
    other_account as aspect,
    'Account ' || other_account || ' may use it' as message,
from others
where not list_contains($trusted_accounts, other_account)
