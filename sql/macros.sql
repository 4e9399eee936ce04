/*
description = "Small functions that models and views share."
*/

-- An IAM action pattern as a pattern of GLOB: only * and ? are wildcards there.
create or replace macro glob_of(pattern) as
    replace(replace(lower(pattern), '\', '\\'), '[', '[[]');

-- A number for a text, the same wherever it stands: of its hash, so that two texts of one number are not to be feared.
create or replace macro number_of(text) as
    ('0x' || left(md5(text), 15))::bigint;

-- The account group that a number belongs to: groups count for themselves, each from its own start.
create or replace macro group_of(id) as
    id >> 32;

-- Whether a set of actions holds the action of a number: of bits, not of digits. The n-th character of a text is found by
-- counting from its start, and the sets of large lakes are asked for millions of actions.
create or replace macro holds_action(bits, action_number) as
    get_bit(bits, action_number - 1) = 1;

-- What stands for an account's own id while cells are decided: as long as an id, of characters for private use.
create or replace macro own_token() as
    array_to_string(list_transform(range(57344, 57356), lambda code: chr(code::integer)), '');

-- A text of the evaluation with the principal's own account id in its place.
create or replace macro own_text(text, account_id) as
    replace(text, '{ownaccount}', coalesce(account_id, '*'));

-- A witness as a line of simulate: who calls, a session where one must, what, and the rest of the line as the evaluation
-- wrote it.
create or replace macro witness_line(principal_arn, session_arn, action_name, request, account_id) as
    '{"principal": ' || to_json(coalesce(own_text(session_arn, account_id), principal_arn))
    || ', "action": ' || to_json(action_name) || ', ' || own_text(request, account_id);

-- The layers of reasons, by the numbers that they have there.
create or replace macro reason_layers() as
    ['identity', 'boundary', 'scp', 'rcp', 'resource'];

-- The number of a reason: a statement in the layer that it counts in, as the evaluation numbers them. Of a resource
-- policy it is that of an entry, of an RCP of another account also that of its owner.
create or replace macro reason_number(layer, number, owner_account_id) as
    8 * xor(number, case when owner_account_id is null then 0 else number_of(owner_account_id) end)
    + list_position(reason_layers(), layer) - 1;

-- The layer of a reason.
create or replace macro reason_layer(number) as
    reason_layers()[number % 8 + 1];

-- What granted_by and limited_by are made of: a statement with the number of the reason and its set of actions.
create or replace macro reason(id, number, actions) as
    struct_pack(id := id, number := number, actions := actions);

-- Whether a verdict lets some request through.
create or replace macro is_granted(verdict) as
    verdict in ('allowed', 'conditional');

-- Whether a layer gives access: identity and resource policies do, the others take it away.
create or replace macro is_granting_layer(layer) as
    layer in ('identity', 'resource');

-- Whether a statement can give access: only an Allow of such a layer does.
create or replace macro can_grant(effect, layer) as
    effect = 'Allow' and is_granting_layer(layer);

-- Whether a statement can take access away: a Deny does, and whatever boundary, SCPs and RCPs leave out.
create or replace macro can_limit(effect, layer) as
    effect = 'Deny' or not is_granting_layer(layer);

-- The ids of those reasons that match an action.
create or replace macro ids_matching(reasons, action_set_ids) as
    list_transform(
        list_filter(reasons, lambda reason: list_contains(action_set_ids, reason.actions)), lambda reason: reason.id
    );

-- The ids of those that have one of the numbers, too. Few have: those are looked for first.
create or replace macro ids_among(numbers, reasons, action_set_ids) as
    case
        when list_has_any(numbers, list_transform(reasons, lambda reason: reason.number))
            then ids_matching(
                list_filter(reasons, lambda reason: list_contains(numbers, reason.number)), action_set_ids
            )
        else []
    end;

-- The ids of the statements with these numbers that match an action, in order: of a principal, and of its account.
create or replace macro statement_ids_of(numbers, own, account, action_set_ids) as
    list_sort(
        list_distinct(
            list_concat(ids_among(numbers, own, action_set_ids), ids_among(numbers, account, action_set_ids))
        )
    );

-- A policy variable that nobody knows: ${key} or ${key, 'default'}. ${*}, ${?} and ${$} are characters.
create or replace macro open_variable() as
    '\$\{([^}*?$]|[^}]{2,})?\}';

-- A glob over ARNs as a pattern of LIKE with the escape character \. Not GLOB, whose ? is one byte. An open variable
-- matches anything. It and the characters ${*} and ${?} have stand-ins until the wildcards are replaced.
create or replace macro like_of(pattern) as
    replace(replace(replace(pattern, '\', '\\'), '%', '\%'), '_', '\_')
        .regexp_replace(open_variable(), chr(1), 'g')
        .replace('${*}', chr(2))
        .replace('${?}', chr(3))
        .replace('${$}', '$')
        .translate('*?' || chr(1) || chr(2) || chr(3), '%_%*?');

-- Whether an ARN can be of a resource type, whose form has placeholders such as ${Region}; null, no form, takes any. A
-- lone * is a request without a resource.
create or replace macro fits_form(resource, arn_format) as
    arn_format is null
    or resource = '*'
    or resource like like_of(regexp_replace(arn_format, '\$\{[^}]*\}', '*', 'g')) escape '\';

-- Whether a row of access for a resource type can be of an ARN. Rows of type * are of requests without a resource, unless
-- the action has no resource types: then nobody names a resource.
create or replace macro fits_type(resource, action_name, type_name, arn_format) as
    fits_form(resource, arn_format)
    and (
        type_name != '*'
        or resource = '*'
        or action_name in (
            select reference_actions.action
            from reference_actions
            anti join reference_action_resource_types
                on reference_actions.action = reference_action_resource_types.action
        )
    );

-- What the exceptions of a scope take out, as patterns of LIKE. One with an open variable takes out nothing: nobody
-- knows what.
create or replace macro excepted_likes(except_resources) as
    list_transform(
        list_filter(
            from_json(coalesce(except_resources, '[]'), '["varchar"]'),
            lambda excepted: not regexp_matches(excepted, open_variable())
        ),
        lambda excepted: like_of(excepted)
    );

-- Whether a resource is one of a scope, whose patterns are made once and not for each resource.
create or replace macro is_among(resource, like_pattern, excepted) as
    resource like like_pattern escape '\'
    and len(list_filter(excepted, lambda one: resource like one escape '\')) = 0;

-- Whether a scope of the relation access reaches a resource. One of another account is reached only where the pattern
-- writes that account out.
create or replace macro scope_covers(resource_pattern, except_resources, account_id, resource) as
    is_among(resource, like_of(resource_pattern), excepted_likes(except_resources))
    and (
        account_id is null
        or split_part(resource, ':', 5) in ('', account_id)
        or split_part(resource, ':', 5) = split_part(resource_pattern, ':', 5)
    );

-- Whether a pattern of resources leaves out none of a partition: a star, or an ARN of stars.
create or replace macro is_every_resource(pattern) as
    regexp_full_match(lower(pattern), '\*+|arn:(\*+|aws[a-z-]*):\*+(:\*+)*|arn:\*+');

-- The name of the one bucket that a pattern means, however it leaves the fields before it; an empty text for others.
create or replace macro bucket_named(resource_pattern) as
    regexp_extract(resource_pattern, '^arn:[^:]*:s3:[^:]*:[^:]*:([^*?$/]+)(/|$)', 1);

-- Whether an account's scope reaches a resource as far as buckets go, whose ARNs name no account: one of another account
-- is reached only where the pattern names the bucket. The owner is null where the input does not tell it.
create or replace macro reaches_bucket(resource_pattern, account_id, resource, owner) as
    not coalesce(owner != account_id, false) or bucket_named(resource_pattern) = bucket_named(resource);

-- Whether a row of access reaches a resource; null asks for none, so every row does.
create or replace macro reaches(
    resource, action_name, type_name, arn_format, resource_pattern, except_resources, account_id
) as
    resource is null
    or (
        fits_type(resource, action_name, type_name, arn_format)
        and scope_covers(resource_pattern, except_resources, account_id, resource)
        and reaches_bucket(
            resource_pattern,
            account_id,
            resource,
            (
                select any_value(bucket_owners.account_id)
                from bucket_owners
                where bucket_owners.resource_arn = split_part(resource, '/', 1)
            )
        )
    );

-- A field of an ARN that a pattern may leave open.
create or replace macro settled_field(field, when_open) as
    case when field in ('', '*') then when_open else replace(replace(field, '*', ''), '?', 'x') end;

-- The ARN of an endpoint; of one that is given by its name, one that the pattern can reach if any of that name can be.
create or replace macro endpoint_arn(endpoint, resource_pattern, account_id) as
    case
        when starts_with(endpoint, 'arn:') then endpoint
        else concat_ws(
            ':',
            'arn',
            settled_field(split_part(resource_pattern, ':', 2), 'aws'),
            'sagemaker',
            settled_field(split_part(resource_pattern, ':', 4), 'us-east-1'),
            settled_field(split_part(resource_pattern, ':', 5), coalesce(account_id, '111122223333')),
            'endpoint/' || endpoint
        )
    end;

-- The text of one statement of a document, whose element Statement may be one object or a list.
create or replace macro statement_of(document, statement_index) as (
    case json_type(document, '$.Statement')
        when 'ARRAY' then document -> ('$.Statement[' || statement_index || ']')
        else document -> '$.Statement'
    end
)::varchar;

-- The account that a principal of a policy names, by its id or in an ARN; an empty text where it names none.
create or replace macro named_account(principal_value) as
    regexp_extract(principal_value, '^(?:arn:[^:]*:(?:iam|sts)::)?([0-9]{12})(?:$|:)', 1);

-- Whether a condition asks for some values of its key and is not met without it, nor by every value.
create or replace macro asks_for_values(operator, set_qualifier, if_exists, given) as (
    not if_exists
    and coalesce(set_qualifier, '') != 'ForAllValues'
    and operator != 'Null'
    and not contains(operator, 'Not')
    and len(list_filter(given, lambda one: regexp_full_match(one, '\*+'))) = 0
);

-- Whether a key of the reference, one of action_keys, is a key in lower case: a template such as aws:ResourceTag/${TagKey}
-- is any that begins so.
create or replace macro stands_for(key_start, is_template, condition_key) as
    condition_key = key_start or (is_template and starts_with(condition_key, key_start));

-- The first of some names, as many as are to be read, and how many more there are.
create or replace macro first_of(names, shown) as
    array_to_string(names[:shown], ', ')
    || case when len(names) > shown then ' and ' || (len(names) - shown) || ' more' else '' end;

-- What a principal may do and by which calls, as findings say it.
create or replace macro told_calls(what, actions) as
    'It may ' || what || ' by: ' || first_of(list_sort(actions), 4);

-- A statement that keeps a principal from calls under a condition, whatever grants them: to be added to its policies.
create or replace macro denied_calls(actions, condition) as
    json_object(
        'Effect', 'Deny', 'Action', list_sort(list_distinct(actions)), 'Resource', '*', 'Condition', condition::json
    )::varchar;

-- The same for calls whatever they say.
create or replace macro denied_actions(actions) as
    json_object('Effect', 'Deny', 'Action', list_sort(list_distinct(actions)), 'Resource', '*')::varchar;

-- A text as one word of a shell's command line.
create or replace macro shell_word(written) as
    case
        when regexp_full_match(written, '[A-Za-z0-9_+=,.@:/-]+') then written
        else '''' || replace(written, '''', '''"''"''') || ''''
    end;

-- A name for an inline policy to be added beside those of these names, null where there are none: a command that writes
-- one of a name in use would replace it. Case does not tell names apart (PutRolePolicy, PutUserPolicy).
create or replace macro unused_name(wanted, taken) as
    list_filter(
        [wanted] || list_transform(range(2, len(coalesce(taken, [])) + 3), lambda number: wanted || '-' || number),
        lambda one: not list_contains(list_transform(coalesce(taken, []), lambda name: lower(name)), one)
    )[1];

-- The command of IAM that gives a user or role an inline policy; what it is called and says is quoted for a shell.
create or replace macro put_policy(principal_type, name_word, policy_word, document_word) as
    'put-' || principal_type || '-policy --' || principal_type || '-name ' || name_word || ' --policy-name ' || policy_word
    || ' --policy-document ' || document_word;

-- Commands of IAM as a remedy ends with them: each on a line, behind a prompt. Null where one is not known.
create or replace macro iam_commands(commands) as
    case
        when not list_contains(list_transform(commands, lambda command: command is null), true)
            then array_to_string(list_transform(commands, lambda command: chr(10) || '$ aws iam ' || command), '')
    end;

-- What a statement says apart from its actions, as the evaluation reads it: JSON.
create or replace macro content_of(effect, language_version, resource_element, patterns, conditions) as
    to_json({
        'effect': effect,
        'has_variables': language_version = '2012-10-17',
        'resource_element': resource_element,
        'resources': coalesce(patterns, []),
        'conditions': coalesce(conditions, [])
    })::varchar;
