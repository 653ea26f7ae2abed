"""FastAPI with asynchronous SQLAlchemy: who signs in stands beside each change in the log.

    python prepare.py
    DATABASE_URL=postgres://shop:shop@127.0.0.1:5432/shop .venv/bin/python examples/fastapi_shop.py 8000
    curl -X POST -H 'Authorization: Bearer mia' 'http://127.0.0.1:8000/customers?name=Ada'
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from cdc_audit import identify
from cdc_audit.asgi import ActorMiddleware
from cdc_audit.sqlalchemy import announce_actors

engine = create_async_engine(os.environ["DATABASE_URL"].replace("postgres://", "postgresql+asyncpg://"))
announce_actors(engine)

app = FastAPI()
app.add_middleware(ActorMiddleware)


def signed_in(authorization: Annotated[str, Header()] = "") -> str:
    """Stands for your own sign-in: the token is the name."""
    user = authorization.removeprefix("Bearer ")
    if not user:
        raise HTTPException(401)
    identify(user)
    return user


@app.post("/customers")
async def add_customer(name: str, user: Annotated[str, Depends(signed_in)]) -> dict[str, str]:
    async with engine.begin() as connection:
        statement = text("INSERT INTO shop.customers (name, email) VALUES (:name, :email)")
        await connection.execute(statement, {"name": name, "email": f"{name.lower()}@example.com"})
    return {"added": name, "by": user}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000, log_level="warning")
