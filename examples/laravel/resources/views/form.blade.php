@extends('layout')

@section('content')
    <h1>Form and files</h1>
    @if (session('status'))
        <p role="status">{{ session('status') }}</p>
    @endif
    @foreach ($errors->all() as $error)
        <p role="alert">{{ $error }}</p>
    @endforeach

    <form method="post" action="/form">
        @csrf
        <label>Note <input name="note" maxlength="200" required></label>
        <button>Save</button>
    </form>
    <ul id="notes">
        @foreach ($notes as $note)
            <li>{{ $note }}</li>
        @endforeach
    </ul>

    <form method="post" action="/files" enctype="multipart/form-data">
        @csrf
        <label>File <input type="file" name="file" required></label>
        <button>Upload</button>
    </form>
    <ul id="files">
        @foreach ($files as $file)
            <li><a href="/files/{{ basename($file) }}">{{ basename($file) }}</a></li>
        @endforeach
    </ul>

    <p><a href="/">Back</a></p>
@endsection
