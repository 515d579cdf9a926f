<?php

use Illuminate\Support\Facades\Schedule;

// Without onOneServer(): that there is exactly one scheduler is what GET /api/schedule shows.
Schedule::command('example:trace')->everyMinute();
