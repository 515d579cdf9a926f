<?php

// Only what differs from the framework's own defaults, which Laravel merges in.
return [

    'name' => env('APP_NAME', 'Drydock example'),

    // Which release this is, for GET /release. Through the configuration because env() is empty once that is cached.
    'release' => env('DRYDOCK_RELEASE', 'unreleased'),

];
