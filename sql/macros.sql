/*
description = "Small functions that models and views share."
*/

-- An IAM action pattern as a pattern of GLOB: only * and ? are wildcards there.
create or replace macro glob_of(pattern) as
    replace(replace(lower(pattern), '\', '\\'), '[', '[[]');
