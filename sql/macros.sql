/*
description = "Small functions that models and views share."
*/

-- An IAM action pattern as a pattern of GLOB: only * and ? are wildcards there.
create or replace macro glob_of(pattern) as
    replace(replace(lower(pattern), '\', '\\'), '[', '[[]');

-- A text of the evaluation with the principal's own account id in its place.
create or replace macro own_text(text, account_id) as
    replace(text, '{ownaccount}', coalesce(account_id, '*'));

-- The ids of the statements with these numbers.
create or replace macro statement_ids_of(numbers, statements) as
    list_transform(
        list_filter(coalesce(statements, []), lambda statement: list_contains(numbers, statement.number)),
        lambda statement: statement.id
    );
