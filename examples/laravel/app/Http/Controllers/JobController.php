<?php

namespace App\Http\Controllers;

use App\Jobs\CountedJob;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;

class JobController
{
    public function store(Request $request): JsonResponse
    {
        $job = $request->validate(['id' => 'required|string|max:64', 'seconds' => 'required|numeric|between:0,55']);
        CountedJob::dispatch($job['id'], (float) $job['seconds']);

        return response()->json(['id' => $job['id']], 202);
    }

    public function show(string $id): JsonResponse
    {
        return response()->json(['runs' => CountedJob::runs($id)]);
    }
}
