#![cfg_attr(fuzzing, no_main)]
certmap_fuzz::target!(model);
