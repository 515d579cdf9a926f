<?php

namespace App\Http\Controllers;

use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;

class SessionController
{
    public function __invoke(Request $request): JsonResponse
    {
        return response()->json(['count' => $request->session()->increment('count')]);
    }
}
