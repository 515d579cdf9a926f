<?php

namespace App\Http\Controllers;

use Illuminate\Http\JsonResponse;
use Illuminate\Support\Facades\DB;

class ScheduleController
{
    /** `doubled` counts the minutes in which more than one scheduler ran. */
    public function __invoke(): JsonResponse
    {
        $minutes = DB::table('traces')->selectRaw('minute, COUNT(*) AS traces')->groupBy('minute')->get();

        return response()->json([
            'count' => (int) $minutes->sum('traces'),
            'doubled' => $minutes->where('traces', '>', 1)->count(),
            'last' => $minutes->max('minute'),
        ]);
    }
}
