/*
description = "What stands for an account's own id: a text that no policy can hold, so that accounts with the same policies share their answers, or the id itself where it matters which digits it has."
grain = ["account_id"]
*/
with
texts as (
    select distinct
        account_policies.account_id,
        statement_contents.content,
        replace(statement_contents.content, account_policies.account_id, own_token()) as in_own_form,
    from account_policies
    inner join statement_contents on account_policies.policy_id = statement_contents.policy_id
    where account_policies.account_id != ''
),

pieces as (
    select
        *,
        regexp_extract_all(content, '([0-9]{1,11})(?:[*?]|\$\{)', 1) as before_wildcards,
        regexp_extract_all(content, '[*?}]([0-9]{1,11})', 1) as after_wildcards,
    from texts
),

-- A wildcard or variable that matches a part of the id, a variable beside a wildcard that is compared with a fact which
-- may hold the id, and so may stand for a part of it, the id as a part of something longer, the id in the name of a
-- key, and operators that compare more than text.
own_id_needed as (
    select distinct account_id
    from pieces
    where
        contains(content, '{ownaccount}')
        or contains(content, own_token())
        or contains(content, '}${')
        or regexp_matches(content, '"key":"aws:(?:principal|resourceaccount|userid).*"values":\[.*(?:\}[*?]|[*?]\$\{)')
        or len(list_filter(before_wildcards, lambda digits: starts_with(account_id, digits))) > 0
        or len(list_filter(after_wildcards, lambda digits: ends_with(account_id, digits))) > 0
        or len(
            list_filter(
                list_intersect(before_wildcards, after_wildcards),
                lambda digits: contains(account_id, digits)
            )
        ) > 0
        or regexp_matches(in_own_form, '[0-9A-Za-z*?}]' || own_token())
        or regexp_matches(in_own_form, own_token() || '(?:[0-9A-Za-z*?]|\$\{)')
        or regexp_matches(in_own_form, '(?:"key":"|\$\{)[^"}'']*' || own_token())
        or regexp_matches(in_own_form, '"operator":"(?:Numeric|Date|Binary|Bool|Ip|Not).*' || own_token())
        or regexp_matches(content, '"operator":"(?:Numeric|Date|Binary|Bool|Ip|Not).*"key":"aws:principaltag/')
),

-- Tags of a resource are known where a pattern comes to it alone among those of the account: partition and account may
-- be left open, and a variable may have one value.
known_resources as (
    select
        account_id,
        resource_arn,
        regexp_replace(resource_arn, '^arn:[^:]*:([^:]*:[^:]*):[^:]*:', 'arn::\1::') as named,
    from inventory
),

named_resources as (
    select distinct
        account_policies.account_id,
        regexp_replace(resources.resource_pattern, '^arn:[^:]*:([^:]*:[^:]*):[^:]*:', 'arn::\1::') as named,
        regexp_replace(named, '\$\{[^}]*\}', '', 'g') as without_variables,
    from account_policies
    inner join statements on account_policies.policy_id = statements.policy_id
    inner join resources on statements.statement_id = resources.statement_id
),

resources_by_name as (
    select
        known_resources.account_id,
        known_resources.resource_arn,
    from known_resources
    inner join named_resources
        on known_resources.account_id = named_resources.account_id and known_resources.named = named_resources.named
    union
    select
        known_resources.account_id,
        known_resources.resource_arn,
    from known_resources
    inner join named_resources
        on
            known_resources.account_id = named_resources.account_id
            and starts_with(known_resources.named, split_part(named_resources.named, '${', 1))
    where
        contains(named_resources.named, '${')
        and not regexp_matches(named_resources.without_variables, '[*?]')
    union
    select
        inventory.account_id,
        inventory.resource_arn,
    from attachments
    inner join inventory on attachments.target_arn = inventory.resource_arn
    where attachments.attachment_kind = 'resource'
),

tags_needed as (
    select distinct texts.account_id
    from texts
    inner join resources_by_name on texts.account_id = resources_by_name.account_id
    where regexp_matches(texts.content, '"key":"(?:aws|sagemaker):resourcetag/')
),

-- A bucket that a policy names is the account's own or another's: whose, only the inventory and the policies of
-- resources tell. Another's that has the account's id in its name is known by that name alone.
buckets_by_name as (
    select
        account_id,
        split_part(resource_arn, ':::', 2) as name,
    from known_buckets
),

-- What a pattern has for a bucket's name: partition, region and account may be left open, a variable may be all of it.
named_buckets as (
    select distinct
        account_policies.account_id,
        case
            when starts_with(resources.resource_pattern, '${') then '${'
            else
                regexp_extract(
                    resources.resource_pattern, '^arn:[^:]*:s3:[^:]*:[^:]*:((?:\$\{[^}]*\}|[^/])+)', 1
                )
        end as name,
    from account_policies
    inner join statements on account_policies.policy_id = statements.policy_id
    inner join resources on statements.statement_id = resources.statement_id
    where account_policies.account_id != ''
),

bucket_needed as (
    select distinct named_buckets.account_id
    from buckets_by_name
    inner join named_buckets
        on starts_with(buckets_by_name.name, split_part(named_buckets.name, '${', 1))
    where
        (buckets_by_name.name = named_buckets.name or contains(named_buckets.name, '${'))
        and (
            buckets_by_name.account_id = named_buckets.account_id
            or contains(buckets_by_name.name, named_buckets.account_id)
        )
),

known as (
    select account_id from accounts
    union
    select account_id from account_policies
)

select
    known.account_id,
    case
        when known.account_id = '' then '*'
        when own_id_needed.account_id is not null or tags_needed.account_id is not null then known.account_id
        when bucket_needed.account_id is not null then known.account_id
        else own_token()
    end as own_account,
from known
left join own_id_needed on known.account_id = own_id_needed.account_id
left join tags_needed on known.account_id = tags_needed.account_id
left join bucket_needed on known.account_id = bucket_needed.account_id
