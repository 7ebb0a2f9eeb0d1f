"""`/claims`: whether the cited pages say what a text says, by their words alone."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request

from pagesight.agent.answers.claims.check_claims import claims_within
from pagesight.agent.servers.access import Reader
from pagesight.agent.servers.schemas import ClaimsReply, ClaimsRequest
from pagesight.agent.servers.service import Service

router = APIRouter()


@router.post("/claims")
async def check(asked: ClaimsRequest, request: Request, token: Reader) -> ClaimsReply:
    """Checks a text that cites pages: each sentence with what was found, and where the words stand. Calls no model."""
    service: Service = request.app.state.service

    def checked() -> ClaimsReply:
        claims = claims_within(token.allowed(service.index), asked.text)
        return ClaimsReply.model_validate({"claims": [claim.as_dict() for claim in claims]})

    return await asyncio.to_thread(checked)
