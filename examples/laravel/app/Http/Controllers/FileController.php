<?php

namespace App\Http\Controllers;

use Illuminate\Http\RedirectResponse;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Storage;
use Symfony\Component\HttpFoundation\StreamedResponse;

/** Files for everybody: the disk `public` is storage/app/public, which every replica shares and nginx serves. */
class FileController
{
    private const NAME = '/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/';

    public function store(Request $request): RedirectResponse
    {
        $file = $request->validate(['file' => 'required|file|max:32768'])['file'];
        // The client's name, made harmless; never one that a server could take for a script.
        $name = ltrim(preg_replace('/[^A-Za-z0-9._-]+/', '-', $file->getClientOriginalName()), '.-');
        abort_if(! preg_match(self::NAME, $name) || preg_match('/\.(php\d?|phtml|phar|html?|svg)$/i', $name), 422,
            'This file name is not accepted.');
        abort_if(Storage::disk('public')->putFileAs('uploads', $file, $name) === false, 500,
            'The file could not be stored.');

        return redirect('/form')->with('status', "The file $name is stored.");
    }

    public function download(string $name): StreamedResponse
    {
        abort_unless(preg_match(self::NAME, $name) === 1 && Storage::disk('public')->exists("uploads/$name"), 404);

        return Storage::disk('public')->download("uploads/$name");
    }
}
