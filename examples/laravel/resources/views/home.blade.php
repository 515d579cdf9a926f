@extends('layout')

@section('content')
    <h1>{{ config('app.name') }}</h1>
    <dl>
        <dt>Release</dt><dd id="release">{{ $release }}</dd>
        <dt>Replica</dt><dd id="replica">{{ $host }}</dd>
        <dt>Health</dt><dd id="health" data-url="/api/health">asking …</dd>
    </dl>
    <p><a href="/form">Form and files</a></p>
@endsection
