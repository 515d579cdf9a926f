<?php

namespace App\Models;

use Illuminate\Database\Eloquent\Model;

class Row extends Model
{
    protected $fillable = ['n'];

    protected $casts = ['n' => 'integer'];
}
