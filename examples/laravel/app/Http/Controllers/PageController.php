<?php

namespace App\Http\Controllers;

use Illuminate\Http\Request;
use Illuminate\Http\Response;
use Illuminate\Support\Facades\DB;
use Illuminate\View\View;

class PageController
{
    public function home(): View
    {
        return view('home', ['release' => config('app.release'), 'host' => gethostname()]);
    }

    /** The release id and nothing else; which replica answered is in a header. */
    public function release(): Response
    {
        return response(config('app.release'))->header('Content-Type', 'text/plain')->header('X-Replica',
            gethostname());
    }

    /**
     * Works for `seconds` (at most 60). In the database, because a signal cuts PHP's own sleep short and would hide a
     * request that was cut.
     */
    public function slow(Request $request): Response
    {
        $seconds = filter_var($request->query('seconds'), FILTER_VALIDATE_FLOAT,
            ['options' => ['min_range' => 0, 'max_range' => 60]]);
        abort_if($seconds === false, 422, 'seconds must be a number from 0 to 60.');
        DB::selectOne('SELECT SLEEP(?)', [$seconds]);

        return response("worked for $seconds s")->header('Content-Type', 'text/plain')->header('X-Replica',
            gethostname());
    }
}
