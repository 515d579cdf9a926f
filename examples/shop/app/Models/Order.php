<?php

namespace App\Models;

use Illuminate\Database\Eloquent\Model;

class Order extends Model
{
    protected $fillable = ['n'];

    protected $casts = ['n' => 'integer', 'total' => 'integer'];
}
