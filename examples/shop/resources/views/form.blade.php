<!DOCTYPE html>
<html lang="en">
<title>{{ config('app.name') }}</title>
<p>{{ session('status') }}</p>
<form method="post" action="/form" enctype="multipart/form-data">
    @csrf
    <input name="note" aria-label="note">
    <input name="picture" type="file" aria-label="picture">
    <button>Send</button>
</form>
</html>
