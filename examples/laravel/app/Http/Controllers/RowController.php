<?php

namespace App\Http\Controllers;

use App\Models\Row;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;

class RowController
{
    /** Answers 201 once the row is committed, so that a client can count what must be there. */
    public function store(Request $request): JsonResponse
    {
        $row = Row::create($request->validate(['n' => 'required|integer']));

        return response()->json(['id' => $row->id, 'n' => $row->n], 201);
    }

    public function count(): JsonResponse
    {
        return response()->json(['count' => Row::count()]);
    }
}
