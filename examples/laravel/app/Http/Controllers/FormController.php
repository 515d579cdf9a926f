<?php

namespace App\Http\Controllers;

use Illuminate\Http\RedirectResponse;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Storage;
use Illuminate\View\View;

class FormController
{
    public function show(Request $request): View
    {
        return view('form', [
            'notes' => $request->session()->get('notes', []),
            'files' => Storage::files('uploads'),
        ]);
    }

    public function save(Request $request): RedirectResponse
    {
        $request->session()->push('notes', $request->validate(['note' => 'required|string|max:200'])['note']);

        return redirect('/form')->with('status', 'The note is saved.');
    }
}
