<!DOCTYPE html>
<html lang="en">
<title>{{ config('app.name') }}</title>
<h1>{{ config('app.name') }}</h1>
<p>{{ $orders }} orders, release {{ config('app.release') }}</p>
@foreach ($pictures as $picture)
    <img src="/uploads/{{ $picture }}" alt="{{ $picture }}">
@endforeach
</html>
